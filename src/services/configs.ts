/** ConfigsService: messages in, the domain's configs out. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  ConfigsRevisionSchema,
  type DeleteConfigsRequest,
  type GetConfigsRequest,
  type ListConfigsRevisionsRequest,
  ListConfigsRevisionsRequestSchema,
  ListConfigsRevisionsResponseSchema,
  type PatchConfigsRequest,
  PatchConfigsResponseSchema,
  PatchMode,
  type ConfigsService as Proto,
  type RollbackConfigsRequest,
  type UpdateConfigsRequest,
  type WatchConfigsRequest,
} from '../../gen/parley/v1/configs_service_pb.ts';
import type { Configs, ConfigsState } from '../configs/configs.ts';
import type { Call } from '../rpc/call.ts';
import { encode } from '../rpc/codec.ts';
import { isWholeNumber, Page } from '../rpc/paging.ts';
import type { ServiceImpl } from '../rpc/service.ts';
import { written } from '../structs/wire_writer.ts';
import { revisionMessage } from './messages.ts';
import { keyOf } from './session_input.ts';
import { repeated, writeNumber, writeStored, writeText } from './wire.ts';

export class ConfigsService implements ServiceImpl<typeof Proto> {
  readonly #configs: Configs;

  constructor(configs: Configs) {
    this.#configs = configs;
  }

  async getConfigs(request: GetConfigsRequest) {
    return encodeState(await this.#configs.get(keyOf(request)));
  }

  async updateConfigs(request: UpdateConfigsRequest, call: Call) {
    return encodeState(await this.#configs.replace(keyOf(request), request.configs!, request.etag, call));
  }

  async patchConfigs(request: PatchConfigsRequest, call: Call) {
    const { configs = {}, etag } = request;
    const mode = request.mode === PatchMode.DEEP ? 'DEEP' : 'SHALLOW';
    return encodeState(await this.#configs.patch(keyOf(request), configs, mode, etag, call));
  }

  deleteConfigs(request: DeleteConfigsRequest, call: Call) {
    return this.#configs.delete(keyOf(request), request.etag, call);
  }

  async listConfigsRevisions(request: ListConfigsRevisionsRequest) {
    const page = new Page(ListConfigsRevisionsRequestSchema, request, isWholeNumber);
    for (const revision of await this.#configs.revisions(keyOf(request), page.after)) {
      const item = encode(ConfigsRevisionSchema, revisionMessage(revision));
      if (!page.add(item, revision.revision)) break;
    }
    const rest = create(ListConfigsRevisionsResponseSchema, { nextPageToken: page.nextPageToken });
    const revisions = ListConfigsRevisionsResponseSchema.field.revisions.number;
    return repeated(revisions, page.items, toBinary(ListConfigsRevisionsResponseSchema, rest));
  }

  async rollbackConfigs(request: RollbackConfigsRequest, call: Call) {
    return encodeState(await this.#configs.rollback(keyOf(request), request.revision, request.etag, call));
  }

  async *watchConfigs(request: WatchConfigsRequest, call: Call) {
    for await (const revision of this.#configs.watch(keyOf(request), request.afterRevision, call.signal)) {
      yield revision
        ? { event: { case: 'revision' as const, value: revisionMessage(revision) } }
        : { event: { case: 'heartbeat' as const, value: {} } };
    }
  }
}

const F = PatchConfigsResponseSchema.field;

/** Every response that is the configs after a call: their fields have the same numbers. */
function encodeState({ configs, etag, revision }: ConfigsState): Uint8Array {
  return written((writer) => {
    writeStored(writer, F.configs.number, configs);
    writeText(writer, F.etag.number, etag);
    writeNumber(writer, F.revision.number, revision);
  });
}
