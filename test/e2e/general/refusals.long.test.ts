import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import type { Bed, Plane } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { assertRefused, assertUnwritten, markAll, type Refusal } from '../support/refusal.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
let planes: Plane[];
/** A server that is not an API server. */
const servers: net.Server[] = [];
let silentPort = 0;
let webPort = 0;

before(async () => {
  bed = await enterBed([{ name: 'its1', hub: true }, { name: 'cluster1' }]);
  planes = bed.planes;
  cli = await Cli.create(bed.kubeconfig);
  silentPort = await listen(net.createServer(() => {}));
  webPort = await listen(
    http.createServer((request, response) => {
      response.writeHead(request.url?.startsWith('/absent') ? 404 : 200, {
        'content-type': 'text/html',
      });
      response.end('<!DOCTYPE html><html><body>It works!</body></html>');
    }),
  );
});

after(async () => {
  for (const server of servers) server.close();
  await leaveBed(cli);
});

function listen(server: net.Server): Promise<number> {
  servers.push(server);
  // A test file does not wait for connections that no one closes.
  server.on('connection', (socket) => socket.unref()).unref();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

interface Fields {
  [field: string]: unknown;
}

/** The test bed's kubeconfig by name, for changes. */
interface Kubeconfig {
  clusters: Record<string, Fields>;
  users: Record<string, Fields>;
  contexts: Record<string, Fields>;
}

async function writeFileFor(text: string): Promise<string> {
  const file = path.join(cli.home, `kubeconfig-${randomUUID()}`);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/** Writes a changed copy of the test bed's kubeconfig. */
async function changed(change: (config: Kubeconfig) => void | Promise<void>): Promise<string> {
  const { clusters, users, contexts, ...rest } = parse(await readFile(bed.kubeconfig, 'utf8'));
  const config = {
    clusters: byName(clusters, 'cluster'),
    users: byName(users, 'user'),
    contexts: byName(contexts, 'context'),
  };
  await change(config);
  return writeFileFor(
    stringify({
      ...rest,
      clusters: toList(config.clusters, 'cluster'),
      users: toList(config.users, 'user'),
      contexts: toList(config.contexts, 'context'),
    }),
  );
}

const byName = (list: Fields[], key: string): Record<string, Fields> =>
  Object.fromEntries(list.map((item) => [item.name, item[key]])) as Record<string, Fields>;
const toList = (entries: Record<string, Fields>, key: string): Fields[] =>
  Object.entries(entries).map(([name, entry]) => ({ name, [key]: entry }));

const commands: Record<string, string[]> = {
  'its token': ['its', 'token', '--file', 'JOIN-FILE'],
  'wec join': ['wec', 'join', 'cluster1'],
  accept: ['accept', 'cluster1'],
  label: ['label', 'cluster1', 'zone=a'],
  'wec list': ['wec', 'list'],
};

/** Allows for a busy machine, but not for a command that ignores its deadline. */
const longestMs = 120_000;

/** Runs commands that must all fail in the same way and write nothing. */
async function assertAllRefuse(
  lines: Record<string, string[]>,
  kubeconfig: string,
  refusal: Refusal & { timeout?: string },
): Promise<void> {
  await markAll(planes);
  const started = Date.now();
  const joinFile = path.join(cli.home, 'unused.join');
  const runs = await Promise.allSettled(
    Object.entries(lines).map(async ([name, line]) => {
      const words = line.map((word) => (word === 'JOIN-FILE' ? joinFile : word));
      const run = await cli.run([...words, '--timeout', refusal.timeout ?? '30s'], { kubeconfig });
      try {
        assertRefused(run, refusal);
      } catch (error) {
        (error as Error).message = `${name}: ${(error as Error).message}\n${run.stderr}`;
        throw error;
      }
    }),
  );
  const problems = runs.flatMap((run) => (run.status === 'rejected' ? [run.reason as Error] : []));
  assert.deepEqual(
    problems.map(({ message }) => message),
    [],
  );
  assert.ok(Date.now() - started < longestMs, 'within the deadline');
  await assertUnwritten(planes);
  await assert.rejects(stat(joinFile), 'no join file was written');
}

interface ClusterState extends Refusal {
  what: string;
  /** If the deadline ends the command. */
  timeout?: string;
  /** @param context its1 or cluster1, whose cluster and user have their own names */
  change: (config: Kubeconfig, context: string, user: string) => void | Promise<void>;
}

const other = (context: string) => (context === 'its1' ? 'cluster1' : 'its1');
const setServer = (server: () => string) => (config: Kubeconfig, context: string) => {
  config.clusters[context] = { ...config.clusters[context], server: server() };
};

/** What can be wrong with access to a cluster, ITS or WEC. */
const situations: ClusterState[] = [
  {
    what: 'whose server takes connections and never answers',
    change: setServer(() => `https://127.0.0.1:${silentPort}`),
    timeout: '3s',
    exitCode: 4,
    says: /Cannot reach CONTEXT .*no answer in time/,
  },
  {
    what: 'whose server is signed by another authority than the kubeconfig’s',
    change: (config, context) => {
      const authority = config.clusters[other(context)]?.['certificate-authority-data'];
      config.clusters[context] = {
        ...config.clusters[context],
        'certificate-authority-data': authority,
      };
    },
    exitCode: 4,
    says: /Cannot reach CONTEXT .*its certificate is signed by an unknown authority/,
    hint: /certificate authority in the kubeconfig/,
  },
  {
    what: 'whose client certificate is of another cluster',
    change: async (config, context, user) => {
      config.users[user] = config.users[`${other(context)}-admin`] ?? {};
    },
    exitCode: 4,
    says: /CONTEXT .*does not accept the credentials/,
  },
];

/** An error about one context. */
function about<R extends Refusal>(context: string, refusal: R): R {
  const named = (pattern: RegExp) =>
    new RegExp(pattern.source.replaceAll('CONTEXT', context), pattern.flags);
  return {
    ...refusal,
    says: named(refusal.says),
    ...(refusal.hint && { hint: named(refusal.hint) }),
  };
}

describe('every command fails with one reason and writes nothing, for an ITS', () => {
  for (const situation of situations) {
    it(situation.what, async () => {
      const kubeconfig = await changed((config) => situation.change(config, 'its1', 'its1-admin'));
      const lines = Object.fromEntries(
        Object.entries(commands).map(([name, line]) => [name, [...line, '--its', 'its1']]),
      );
      await assertAllRefuse(lines, kubeconfig, about('its1', situation));
    });
  }

  it('that is a cluster, but not a hub', async () => {
    const kubeconfig = await changed((config) => {
      config.contexts.its1 = { cluster: 'cluster1', user: 'cluster1-admin' };
    });
    const refusal = {
      exitCode: 1,
      says: /its1 \(https:\S+\) is not an ITS/,
      hint: /--its CONTEXT/,
    };
    await assertAllRefuse(commands, kubeconfig, refusal);
  });

  it('that is a web server, but not an API server', async () => {
    const kubeconfig = await changed(setServerOfIts(() => `http://127.0.0.1:${webPort}`));
    const says = /http:\/\/127\.0\.0\.1:\d+.* does not answer like a Kubernetes API server/;
    await assertAllRefuse(commands, kubeconfig, { exitCode: 1, says });
  });

  it('that is a web server with nothing at these addresses', async () => {
    const kubeconfig = await changed(setServerOfIts(() => `http://127.0.0.1:${webPort}/absent`));
    await assertAllRefuse(commands, kubeconfig, {
      exitCode: 1,
      says: /its1 \(http:\S+\) is not an ITS/,
    });
  });
});

const setServerOfIts = (server: () => string) => (config: Kubeconfig) =>
  setServer(server)(config, 'its1');

describe('wec join fails with one reason and writes nothing, for a WEC', () => {
  for (const situation of situations) {
    it(situation.what, async () => {
      const kubeconfig = await changed((config) =>
        situation.change(config, 'cluster1', 'cluster1-admin'),
      );
      await assertAllRefuse(
        { 'wec join': commands['wec join'] ?? [] },
        kubeconfig,
        about('cluster1', situation),
      );
    });
  }

  it('that is a web server, but not an API server', async () => {
    const kubeconfig = await changed((config) =>
      setServer(() => `http://127.0.0.1:${webPort}`)(config, 'cluster1'),
    );
    const refusal = {
      exitCode: 1,
      says: /http:\/\/127\.0\.0\.1:\d+.* does not answer like a Kubernetes API server/,
    };
    await assertAllRefuse({ 'wec join': commands['wec join'] ?? [] }, kubeconfig, refusal);
  });
});
