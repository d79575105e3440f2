/** Exits with 0 when the server of this environment answers SERVING: the container's health check. */
import { fromBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import {
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/health/v1/health_pb.ts';
import { readSettings } from '../settings.ts';

const [address] = readSettings(process.env).addresses;
const client = new Client(address!, credentials.createInsecure());
client.makeUnaryRequest(
  '/grpc.health.v1.Health/Check',
  () => Buffer.alloc(0), // an empty request asks for the whole server
  (bytes) => fromBinary(HealthCheckResponseSchema, bytes),
  undefined,
  { deadline: Date.now() + 3000 },
  (error, response) => {
    const serving = response?.status === ServingStatus.SERVING;
    console.log(serving ? 'serving' : (error?.message ?? 'not serving'));
    process.exit(serving ? 0 : 1);
  },
);
