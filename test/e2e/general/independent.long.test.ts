/** `npm test` on a machine where stellarctl and others are in use, in a foreign locale, as another user. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { execa } from 'execa';
import { chartOf, shareCache } from '../../../testbed/index.ts';
import { contextsOf } from '../../unit/support/one-context.ts';

const root = path.resolve(import.meta.dirname, '..', '..', '..');

/** What touches files, settings, the environment or programs; and a file with a bed, while others run on this machine. */
const chosen = [
  'test/e2e/wec/label.long.test.ts',
  'test/unit/compile-cache.test.ts',
  'test/unit/lib/doctor/preflight.test.ts',
  'test/unit/lib/files',
  'test/unit/lib/kube/client/authorities.test.ts',
  'test/unit/lib/kube/kubeconfig/kubeconfig.test.ts',
  'test/unit/lib/doctor/report.test.ts',
  'test/unit/lib/spaces/its-choice.test.ts',
];

/** A user without an entry in /etc/passwd, as in many containers. */
const other = { uid: 54_321, gid: 54_321 };
const isRoot = process.getuid?.() === 0;

let folder: string;
const servers: Server[] = [];

before(async () => {
  // Not in TMPDIR, which this user may not be allowed to enter; short, because it contains sockets.
  folder = mkdtempSync(path.join(isRoot ? '/var/tmp' : (process.env.TMPDIR ?? '/tmp'), 'alone-'));
  chmodSync(folder, 0o755);
  await chartOf();
  for (const port of [9443, 8443]) servers.push(await taken(port));
});

after(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A port of all addresses, as the ingress of a cluster of kind has it. If somebody else has it, so much the better. */
async function taken(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen(port, () => resolve());
  });
  return server;
}

/** The machine of somebody who has used the tool: the environment of a run. */
function machine(): NodeJS.ProcessEnv {
  const at = (...parts: string[]) => path.join(folder, 'user', ...parts);
  const kubeconfig = contextsOf(
    { server: 'https://127.0.0.1:1' },
    { token: 'abc' },
    ...['its1', 'hosting'],
  );
  const write = (file: string, content: unknown) => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(content));
  };
  for (const base of [at('config'), at('home', '.config')])
    write(path.join(base, 'stellarctl', 'settings.json'), { its: 'its1' });
  for (const file of [at('kubeconfig'), at('home', '.kube', 'config')]) write(file, kubeconfig);
  for (const each of ['data', 'state', 'tmp']) mkdirSync(at(each));
  shareCache(at('cache', 'stellarctl-bed'));
  own(at());
  // Beside TMPDIR nothing can be written.
  if (isRoot) chownSync(at(), 0, 0);
  const proxy = 'http://127.0.0.1:9';
  return {
    ...{
      PATH: process.env.PATH,
      HOME: at('home'),
      TMPDIR: at('tmp'),
      KUBECONFIG: at('kubeconfig'),
    },
    ...{ XDG_CONFIG_HOME: at('config'), XDG_CACHE_HOME: at('cache') },
    ...{ XDG_DATA_HOME: at('data'), XDG_STATE_HOME: at('state') },
    ...{
      STELLARCTL_ITS: 'elsewhere',
      STELLARCTL_WDS: 'elsewhere',
      STELLARCTL_HOSTING_CONTEXT: 'elsewhere',
    },
    ...{
      LANG: 'tr_TR.UTF-8',
      LC_ALL: 'tr_TR.UTF-8',
      LANGUAGE: 'tr',
      TZ: 'Asia/Kolkata',
      CI: 'true',
      FORCE_COLOR: '1',
    },
    ...{
      HTTPS_PROXY: proxy,
      HTTP_PROXY: proxy,
      https_proxy: proxy,
      http_proxy: proxy,
      NODE_OPTIONS: '--no-warnings',
    },
    ...{
      KIND_EXPERIMENTAL_PROVIDER: 'podman',
      HELM_DRIVER: 'configmap',
      SSL_CERT_FILE: '/dev/null',
    },
  };
}

function own(folderOrFile: string) {
  if (!isRoot) return;
  for (const name of readdirSync(folderOrFile, { recursive: true, encoding: 'utf8' }))
    if (!/stellarctl-bed\/\w+\/./.test(name))
      chownSync(path.join(folderOrFile, name), other.uid, other.gid);
}

it(`npm test passes, whatever the machine${isRoot ? ', as another user' : ''}`, {
  timeout: 600_000,
}, async (t) => {
  if (!isRoot) t.diagnostic('as this user: only root can become another one');
  const run = await execa('sh', ['-c', 'umask 077; exec npm test -- "$@"', 'sh', ...chosen], {
    cwd: root,
    env: machine(),
    extendEnv: false,
    reject: false,
    all: true,
    ...(isRoot && other),
  });
  const failed = run.all.slice(Math.max(0, run.all.indexOf('failing tests:')));
  assert.equal(run.exitCode, 0, failed);
  assert.match(run.all, /ℹ pass [1-9]/);
  // Node's own name for what npm itself keeps there.
  const left = readdirSync(path.join(folder, 'user', 'tmp')).filter(
    (each) => each !== 'node-compile-cache',
  );
  assert.deepEqual(left, [], 'left behind');
});
