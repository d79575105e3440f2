/** Environment → server → signals. */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import pino from 'pino';
import { StartError } from './errors.ts';
import { helpText, readArguments, readSettings, unknownSettings } from './settings.ts';

enableCompileCache(); // a second start need not compile again
// Calls that wait for Redis outlive a scavenge. V8 takes that for a sign that what they are made of lives long, and
// allocates it where only a full collection frees it. Until then it keeps alive all that it points to, which makes
// more of it seem to live long: under load that took a sixth of the time, and takes one to three hundredths now.
setFlagsFromString('--no-allocation-site-pretenuring');

try {
  const { help, insecure } = readArguments(process.argv.slice(2));
  if (help) console.log(helpText());
  else await run(insecure);
} catch (error) {
  // A sentence for the person at the terminal; the stack only where the sentence may not do.
  console.error(`parley: ${(error as Error).message}`);
  if (!(error instanceof StartError)) console.error((error as Error).stack);
  process.exitCode = 1;
}

async function run(insecure: boolean): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = readSettings({ ...process.env, ...(insecure && { PARLEY_INSECURE: 'true' }) });
  // Standard output belongs to the ready line.
  const standardError = pino.destination({ fd: 2, sync: true });
  standardError.on('error', () => {}); // a log that cannot be written, on a full disk, stops nothing else
  const log = pino({ level: settings.logLevel }, standardError);
  const unknown = unknownSettings(process.env);
  if (unknown.length > 0) log.warn({ unknown }, 'settings that this version does not know');
  // What nobody waited for touched nobody's call; Node would end the process, and with it all streams.
  process.on('unhandledRejection', (err) =>
    log.error({ err }, 'a defect: it failed, and nobody waited for it'),
  );
  const signal = stopSignal();
  const { startServer } = await import('./server.ts'); // after enableCompileCache
  const server = await startServer(settings, log, (line) => console.error(line));
  for (const address of server.addresses) console.log(`parley listening on ${address}`);
  log.info({ signal: await signal }, 'stopping');
  await server.stop();
  process.exit(0); // a connection whose peer does not read would keep us here
}

/** The first signal to stop. It is waited for from the very start, so that what was started is stopped too. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.once(name, () => {
        resolve(name);
        // A second one means now.
        process.once(name, () => process.exit(1));
      });
    }
  });
}
