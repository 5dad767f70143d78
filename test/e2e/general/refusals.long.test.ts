import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { type Bed, expiredToken, limitedUser, mintToken, type Plane, startBed } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { assertRefused, assertUnwritten, markAll, type Refusal } from '../support/refusal.ts';

let bed: Bed;
let cli: Cli;
let planes: Plane[];
/** A server that is not an API server. */
const servers: net.Server[] = [];
let silentPort = 0;
let webPort = 0;

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }] });
  planes = bed.planes;
  cli = await Cli.create(bed.kubeconfig);
  silentPort = await listen(net.createServer(() => {}));
  webPort = await listen(
    http.createServer((request, response) => {
      response.writeHead(request.url?.startsWith('/absent') ? 404 : 200, { 'content-type': 'text/html' });
      response.end('<!DOCTYPE html><html><body>It works!</body></html>');
    }),
  );
});

after(async () => {
  for (const server of servers) server.close();
  await cli?.remove();
  await bed?.stop();
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

/** Creates an exec credential plugin from a line of shell. */
function plugin(line: string): Fields {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: ['-c', line],
    interactiveMode: 'Never',
  };
  return { exec };
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
const setUser =
  (user: (context: string) => Fields | Promise<Fields>) =>
  async (config: Kubeconfig, context: string, name: string) => {
    config.users[name] = await user(context);
  };

/** What can be wrong with access to a cluster, ITS or WEC. */
const situations: ClusterState[] = [
  {
    what: 'whose server does not run',
    change: setServer(() => 'https://127.0.0.1:1'),
    exitCode: 4,
    says: /Cannot reach CONTEXT \(https:\/\/127\.0\.0\.1:1\): connection refused/,
    hint: /kubectl --context CONTEXT cluster-info/,
  },
  {
    what: 'whose server has no address',
    change: setServer(() => 'https://no-such-host.invalid:6443'),
    exitCode: 4,
    says: /CONTEXT \(https:\/\/no-such-host\.invalid:6443\)/,
  },
  {
    what: 'whose server takes connections and never answers',
    change: setServer(() => `https://127.0.0.1:${silentPort}`),
    timeout: '3s',
    exitCode: 4,
    says: /Cannot reach CONTEXT .*no answer in time/,
  },
  {
    what: 'whose server speaks no TLS',
    change: setServer(() => `https://127.0.0.1:${webPort}`),
    exitCode: 4,
    says: /Cannot reach CONTEXT .*does not speak TLS/,
  },
  {
    what: 'whose server is signed by another authority than the kubeconfig’s',
    change: (config, context) => {
      const authority = config.clusters[other(context)]?.['certificate-authority-data'];
      config.clusters[context] = { ...config.clusters[context], 'certificate-authority-data': authority };
    },
    exitCode: 4,
    says: /Cannot reach CONTEXT .*its certificate is signed by an unknown authority/,
    hint: /certificate authority in the kubeconfig/,
  },
  {
    what: 'whose token has expired',
    change: setUser(async () => ({ token: await expiredToken(bed.plane('its1')) })),
    exitCode: 4,
    says: /CONTEXT .*does not accept the credentials of this context: its token expired at /,
    hint: /Write a new token into context /,
  },
  {
    what: 'whose client certificate is of another cluster',
    change: async (config, context, user) => {
      config.users[user] = config.users[`${other(context)}-admin`] ?? {};
    },
    exitCode: 4,
    says: /CONTEXT .*does not accept the credentials/,
  },
  {
    what: 'where the user may do nothing',
    change: setUser(async (context) => {
      const { connection } = await limitedUser(bed.plane(context), { user: 'nobody' });
      const base64 = (text = '') => Buffer.from(text).toString('base64');
      return { 'client-certificate-data': base64(connection.certPem), 'client-key-data': base64(connection.keyPem) };
    }),
    exitCode: 4,
    says: /Not allowed on CONTEXT/,
    hint: /kubectl --context CONTEXT auth can-i --list/,
  },
  {
    what: 'whose credential plugin is not installed',
    change: setUser(() => ({
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'no-such-plugin',
        installHint: 'Get it at example.com',
        interactiveMode: 'Never',
      },
    })),
    exitCode: 4,
    says: /credentials of context CONTEXT .*no-such-plugin is not installed/,
    hint: /Get it at example\.com/,
  },
  {
    // The harness checks that the token is not repeated.
    what: 'whose credential plugin prints a bare token instead of an ExecCredential',
    change: setUser(() => plugin('echo eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl')),
    exitCode: 4,
    says: /credentials of context CONTEXT could not be obtained/,
  },
  {
    what: 'whose credential plugin fails',
    change: setUser(() => plugin('echo you are not logged in >&2; exit 1')),
    exitCode: 4,
    says: /credentials of context CONTEXT .*you are not logged in/,
  },
  {
    what: 'whose certificate authority is in a file that is missing',
    change: (config, context) => {
      const { server } = config.clusters[context] ?? {};
      config.clusters[context] = { server, 'certificate-authority': '/no/such/ca.crt' };
    },
    exitCode: 2,
    says: /Context CONTEXT names the file \/no\/such\/ca\.crt/,
  },
  {
    what: 'whose user is not defined',
    change: (config, _, user) => {
      delete config.users[user];
    },
    exitCode: 2,
    says: /Context CONTEXT names the user "CONTEXT-admin", who is not defined in /,
  },
  {
    what: 'whose cluster is not defined',
    change: (config, context) => {
      delete config.clusters[context];
    },
    exitCode: 2,
    says: /Context CONTEXT names the cluster "CONTEXT", which has no server in /,
  },
  {
    what: 'that is not defined',
    change: (config, context) => {
      delete config.contexts[context];
    },
    exitCode: 2,
    says: /There is no context "CONTEXT" in /,
    hint: /Contexts there: /,
  },
];

/** An error about one context. */
function about<R extends Refusal>(context: string, refusal: R): R {
  const named = (pattern: RegExp) => new RegExp(pattern.source.replaceAll('CONTEXT', context), pattern.flags);
  return { ...refusal, says: named(refusal.says), ...(refusal.hint && { hint: named(refusal.hint) }) };
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
    const refusal = { exitCode: 1, says: /its1 \(https:\S+\) is not an ITS/, hint: /--its CONTEXT/ };
    await assertAllRefuse(commands, kubeconfig, refusal);
  });

  it('that is a web server, but not an API server', async () => {
    const kubeconfig = await changed(setServerOfIts(() => `http://127.0.0.1:${webPort}`));
    const says = /http:\/\/127\.0\.0\.1:\d+.* does not answer like a Kubernetes API server/;
    await assertAllRefuse(commands, kubeconfig, { exitCode: 1, says });
  });

  it('that is a web server with nothing at these addresses', async () => {
    const kubeconfig = await changed(setServerOfIts(() => `http://127.0.0.1:${webPort}/absent`));
    await assertAllRefuse(commands, kubeconfig, { exitCode: 1, says: /its1 \(http:\S+\) is not an ITS/ });
  });
});

const setServerOfIts = (server: () => string) => (config: Kubeconfig) => setServer(server)(config, 'its1');

describe('wec join fails with one reason and writes nothing, for a WEC', () => {
  for (const situation of situations) {
    it(situation.what, async () => {
      const kubeconfig = await changed((config) => situation.change(config, 'cluster1', 'cluster1-admin'));
      await assertAllRefuse({ 'wec join': commands['wec join'] ?? [] }, kubeconfig, about('cluster1', situation));
    });
  }

  it('that is a web server, but not an API server', async () => {
    const kubeconfig = await changed((config) => setServer(() => `http://127.0.0.1:${webPort}`)(config, 'cluster1'));
    const refusal = { exitCode: 1, says: /http:\/\/127\.0\.0\.1:\d+.* does not answer like a Kubernetes API server/ };
    await assertAllRefuse({ 'wec join': commands['wec join'] ?? [] }, kubeconfig, refusal);
  });
});

describe('every command rejects a kubeconfig', () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl';
  const files: { what: string; text: string; says: RegExp }[] = [
    {
      what: 'that is no YAML, without repeating what is in it',
      text: `users:\n- name: a\n  user: {token: ${token}\n`,
      says: /kubeconfig \S+ cannot be used: /,
    },
    { what: 'that is something else', text: 'Hello!\n', says: /cannot be used: it is not a kubeconfig/ },
    { what: 'whose lists are none', text: 'clusters: 5\n', says: /"clusters" is not a list/ },
    {
      what: 'that has one name twice',
      text: 'users:\n- {name: a, user: {}}\n- {name: a, user: {}}\n',
      says: /"users" has the name "a" twice/,
    },
    { what: 'that is empty', text: '', says: /No ITS was given, and there is no current context|no context/ },
  ];
  for (const { what, text, says } of files) {
    it(what, async () => {
      await assertAllRefuse(commands, await writeFileFor(text), { exitCode: 2, says });
    });
  }

  it('that does not exist', async () => {
    const missing = path.join(cli.home, 'missing');
    const lines = Object.entries(commands).map(([name, line]) => [name, [...line, '--kubeconfig', missing]]);
    await assertAllRefuse(Object.fromEntries(lines), bed.kubeconfig, {
      exitCode: 2,
      says: /missing cannot be used: no such file/,
    });
    // A missing file in KUBECONFIG is ignored, as in kubectl.
    await assertAllRefuse(commands, missing, { exitCode: 2, says: /No ITS was given/, hint: /--kubeconfig FILE/ });
  });
});

describe('KUBECONFIG', () => {
  it('may list several files: missing files are skipped, and the first definition of a name wins', async () => {
    const missing = path.join(cli.home, 'missing');
    const good = await changed((config) => {
      delete config.contexts.cluster1;
    });
    const dead = await changed(setServerOfIts(() => 'https://127.0.0.1:1'));
    const list = (...files: string[]) => files.join(path.delimiter);

    await cli.succeed(['wec', 'list', '--its', 'its1'], { kubeconfig: list(missing, good, dead) });
    const run = await cli.run(['wec', 'list', '--its', 'its1'], { kubeconfig: list('', dead, missing, good) });
    assertRefused(run, { exitCode: 4, says: /its1 \(https:\/\/127\.0\.0\.1:1\)/ });
    // Entries that only the second file has are available as well.
    const other = await cli.run(['wec', 'list', '--its', 'cluster1'], { kubeconfig: list(good, dead) });
    assertRefused(other, { exitCode: 1, says: /cluster1 \(\S+\) is not an ITS/ });
  });

  it('may contain relative file names', async () => {
    await writeFile(path.join(cli.home, 'ca.crt'), bed.plane('its1').caPem);
    const kubeconfig = await changed((config) => {
      const { server } = config.clusters.its1 ?? {};
      config.clusters.its1 = { server, 'certificate-authority': 'ca.crt' };
    });
    await cli.succeed(['wec', 'list'], { kubeconfig });
  });

  it('may name a credential plugin, which gets the cluster info and whose token is used', async () => {
    const token = await mintToken(bed.plane('its1'), 'open-cluster-management-hub/registration-controller-sa', 3600);
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } };
    const file = await writeFileFor(JSON.stringify(credential));
    const line = `case $KUBERNETES_EXEC_INFO in *ExecCredential*) cat ${file};; esac`;
    const kubeconfig = await changed((config) => {
      config.users['its1-admin'] = plugin(line);
    });
    await cli.succeed(['wec', 'list', '-v'], { kubeconfig });
  });

  it('may name a credential plugin that returns a client certificate', async () => {
    const { connection } = bed.plane('its1').kubeconfigEntry;
    const status = { clientCertificateData: connection.certPem, clientKeyData: connection.keyPem };
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
    const file = await writeFileFor(JSON.stringify(credential));
    const kubeconfig = await changed((config) => {
      config.users['its1-admin'] = plugin(`cat ${file}`);
    });
    await cli.succeed(['wec', 'list'], { kubeconfig });
  });
});
