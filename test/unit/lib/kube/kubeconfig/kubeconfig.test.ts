import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs, { chmodSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import {
  contextFromCluster,
  loadKubeconfig,
  selectContext,
} from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { newPath, temporaryFolder } from '../../../support/folder.ts';
import {
  type Content,
  content,
  plain,
  simple,
  toFile,
  write,
} from '../../../support/kubeconfigs.ts';
import { oneContext } from '../../../support/one-context.ts';
import { stepsOf } from '../../../support/steps.ts';

const root = temporaryFolder();
const missing = newPath();

const list = (...files: string[]) => ({ KUBECONFIG: files.join(path.delimiter) });
const load = (...files: string[]) => loadKubeconfig(undefined, list(...files));
const invalid = (message: RegExp) => ({ code: 'kubeconfig-invalid', exitCode: 2, message });

describe('several files', () => {
  test('the first definition of every name wins as a whole, and the first current context that is not empty', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 4 }), async (contents) => {
        const loaded = plain(await load(...contents.map((each) => write(toFile(each)))));
        const first = (key: 'clusters' | 'users' | 'contexts') =>
          Object.assign({}, ...contents.map((each) => each[key]).reverse());
        assert.deepEqual(loaded, {
          clusters: first('clusters'),
          users: first('users'),
          contexts: first('contexts'),
          current: contents.map(({ current }) => current).find(Boolean),
        });
      }),
      { numRuns: 40 },
    );
  });

  test('missing, duplicate or empty file names are skipped', async () => {
    const [first, second] = [
      write(toFile(simple('https://one'))),
      write(toFile(simple('https://two'))),
    ];
    const config = await load(
      '',
      missing,
      first,
      second,
      first,
      path.join(first, 'below-a-file'),
      '',
    );
    assert.deepEqual(config.files, [first, second]);
  });

  test('an empty file is ignored', async () => {
    assert.equal(
      (await load(write(''), write('# nothing\n'), write(toFile(simple('https://one'))))).clusters
        .size,
      1,
    );
  });

  test('only missing ones give an empty kubeconfig', async () =>
    assert.deepEqual(await load(missing), {
      files: [],
      missing: [missing],
      currentContext: undefined,
      contexts: new Map(),
      clusters: new Map(),
      users: new Map(),
      extensions: new Map(),
    }));
});

describe('a file', () => {
  test('keeps unknown fields', async () => {
    const config = await load(
      write(
        toFile(
          simple('', {
            clusters: { c: { server: 'https://one', 'x-new': { a: [1] } } },
            users: { u: { 'x-new': true } },
          }),
        ),
      ),
    );
    assert.deepEqual(
      [config.clusters.get('c'), config.users.get('u')],
      [{ server: 'https://one', 'x-new': { a: [1] } }, { 'x-new': true }],
    );
  });
  test('is YAML as kubectl reads it: 1.1, with its booleans and merge keys', async () => {
    const file = write(
      'clusters:\n- name: a\n  cluster: &a {server: https://a, insecure-skip-tls-verify: yes}\n- name: b\n  cluster: {<<: *a, tls-server-name: b}\n',
    );
    const { clusters } = await load(file);
    const a = { server: 'https://a', 'insecure-skip-tls-verify': true };
    assert.deepEqual(Object.fromEntries(clusters), { a, b: { ...a, 'tls-server-name': 'b' } });
  });

  test('has file names relative to it, and plugins only if they contain a separator', async () => {
    const user = {
      'client-certificate': 'u.crt',
      'client-key': '/abs/u.key',
      tokenFile: 'sub/token',
      exec: { command: './plugin' },
    };
    const file = write(
      toFile(
        simple('', {
          clusters: { c: { server: 's', 'certificate-authority': '../ca.crt' } },
          users: { u: user, v: { exec: { command: 'aws' } } },
        }),
      ),
    );
    const folder = path.dirname(file);
    const config = await load(file);
    assert.equal(
      config.clusters.get('c')?.['certificate-authority'],
      path.join(folder, '../ca.crt'),
    );
    assert.deepEqual(config.users.get('u'), {
      'client-certificate': path.join(folder, 'u.crt'),
      'client-key': '/abs/u.key',
      tokenFile: path.join(folder, 'sub/token'),
      exec: { command: path.join(folder, 'plugin') },
    });
    assert.equal(config.users.get('v')?.exec?.command, 'aws');
  });
  test('named by --kubeconfig is the only one', async () => {
    const [given, listed] = [
      write(toFile(simple('https://given'))),
      write(toFile(simple('https://listed'))),
    ];
    assert.deepEqual((await loadKubeconfig(given, list(listed))).files, [given]);
  });
});

describe('a file is rejected', () => {
  const twice = {
    clusters: [
      { name: 'a', cluster: {} },
      { name: 'a', cluster: {} },
    ],
  };
  const wrong: [what: string, content: string | object, why: RegExp][] = [
    ['that is not YAML', 'a: [', /cannot be used/],
    ['that is a text', 'hello', /not a kubeconfig/],
    ['that is a list', '- a', /not a kubeconfig/],
    ['with a name twice', twice, /"clusters" has the name "a" twice/],
    ['with clusters that are no list', { clusters: {} }, /"clusters" is not a list/],
    [
      'with an entry that is no object',
      { users: ['a'] },
      /"users" has an entry that is not an object/,
    ],
    [
      'with a cluster that is no object',
      { clusters: [{ name: 'a', cluster: 'b' }] },
      /"cluster" of "a" is not an object/,
    ],
  ];
  for (const [what, text, why] of wrong) {
    test(what, async () => {
      const file = write(text);
      await assert.rejects(load(file), invalid(new RegExp(`${file}.*${why.source}`, 's')));
    });
  }
  test('named by --kubeconfig that does not exist', () =>
    assert.rejects(loadKubeconfig(missing, {}), invalid(/no such file/)));
  test('that is a folder', () => assert.rejects(load(root), invalid(/it is a folder/)));
  test('without read permission', async (t) => {
    const file = write('');
    chmodSync(file, 0);
    // Root may read everything.
    if (process.getuid?.() === 0)
      t.mock.method(fs, 'readFileSync', () => {
        throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
      });
    syncBuiltinESMExports();
    await assert.rejects(load(file), invalid(/permission denied/));
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
});

test('of a kubeconfig in a cluster the last key counts, and unknown fields and null lists are ignored; a user’s file is strict', async () => {
  const text =
    'clusters:\n- name: c\n  cluster:\n    server: https://old\n    server: https://new\n    novel: 1\ncontexts:\n- name: x\n  context: { cluster: c }\nusers: null\nextensions: null\nnovel: null\n';
  assert.equal((await contextFromCluster(text, 'in a Secret')).server, 'https://new');
  await assert.rejects(load(write(text)), invalid(/it is not YAML \(line 5\)/));
});

describe('of a kubeconfig in a cluster each value has a grammar', () => {
  const of = (cluster: object, user: object = {}) =>
    contextFromCluster(
      JSON.stringify(oneContext({ server: 'https://a', ...cluster }, user)),
      'in a Secret',
    );
  const planted = '\u2028    exec:\u2028      command: /bin/touch';
  const refused: [what: string, cluster: object, user?: object][] = [
    ['a token with what Go takes for a line', {}, { token: `t${planted}` }],
    ['a token that is two words', {}, { token: 'a b' }],
    [
      'an address with what Go takes for a line',
      { server: 'https://a/\u2028insecure-skip-tls-verify: true' },
    ],
    ['an address with a line break', { server: 'https://a/\rb' }],
    ['an address outside ASCII', { server: 'https://ä.example' }],
    ['an address without TLS', { server: 'http://a' }],
    ['an address with a user', { server: 'https://u:p@a' }],
    ['an address with a query', { server: 'https://a/?b' }],
    ['an address with a fragment', { server: 'https://a/#b' }],
    ['an address with a backslash, which Go reads as another host', { server: 'https://a\\\\b' }],
    ['an authority that is no base64', { 'certificate-authority-data': `YQ==${planted}` }],
    ['a name for TLS that is none', { 'tls-server-name': `a${planted}` }],
    ['a certificate that is no base64', {}, { 'client-certificate-data': 'YQ==\u0085b' }],
  ];
  for (const [what, cluster, user] of refused)
    test(`and ${what} is refused, and not shown`, () =>
      assert.rejects(of(cluster, user), (error: Error) => {
        assert.match(error.message, /in a Secret/);
        assert.doesNotMatch(error.message, /touch|insecure|u:p/);
        return true;
      }));
  test('and an address is kept as it was written', async () => {
    for (const server of [
      'https://Its1.Example:443',
      'https://[FD00::1]:6443',
      'https://a/k8s/clusters/c-1',
    ])
      assert.deepEqual((await of({ server })).cluster, { server });
  });
  test('and what KubeFlex writes is taken', async () => {
    const user = {
      token: 'eyJhbGciOi.J9-_~+/.x==',
      'client-certificate-data': 'YQ==',
      'client-key-data': 'YWI=',
    };
    const cluster = {
      'certificate-authority-data': 'YWJj',
      'tls-server-name': 'wds1.localtest.me',
    };
    const read = await of(cluster, user);
    assert.deepEqual([read.cluster, read.user], [{ server: 'https://a', ...cluster }, user]);
  });
});

describe('a pipe', () => {
  test('of a shell is read, even if its writer has ended', { timeout: 20_000 }, () => {
    const module = new URL('../../../../../src/lib/kube/kubeconfig/kubeconfig.ts', import.meta.url);
    const script = `import { loadKubeconfig } from '${module}';
      console.log((await loadKubeconfig(process.argv[1], {})).clusters.get('c').server)`;
    const shell = `"$0" --input-type=module -e "$1" <(cat "$2")`;
    const args = ['-c', shell, process.execPath, script, write(toFile(simple('https://one')))];
    assert.equal(
      execFileSync('bash', args, { encoding: 'utf8', timeout: 15_000 }),
      'https://one\n',
    );
  });
});

describe('an error never quotes the contents of a file', () => {
  const secret = 'T0pS3cretT0ken';
  const quoting = async (text: string) => {
    try {
      const config = await loadKubeconfig(write(text), {});
      selectContext(config, 'x');
    } catch (error) {
      if (!(error instanceof StellarError)) throw error;
      assert.ok(
        !JSON.stringify([error.message, stepsOf(error), error.details]).includes(secret),
        `${JSON.stringify(text)}: ${error.message}`,
      );
    }
  };
  for (const text of [
    `"a" ${secret}`,
    `{a: b} ${secret}`,
    `a: "b" ${secret}`,
    `a: b\n${secret}`,
    `%${secret}\n---\n`,
    `--- !<${secret}\n`,
    `"\\${secret}"`,
    secret,
  ]) {
    test(JSON.stringify(text), () => quoting(text));
  }
  // The first line of the parser's message contains the name of the alias.
  for (const text of [`*${secret}`, `token: *${secret}`])
    test(JSON.stringify(text), () => quoting(text));
  test('truncated at any position', async () => {
    const whole = stringify(
      toFile(
        simple('https://one', {
          users: {
            u: { token: secret, exec: { command: 'x', env: [{ name: 'A', value: secret }] } },
          },
        }),
      ),
    );
    for (let length = 0; length < whole.length; length += 3) await quoting(whole.slice(0, length));
  });
});

describe('a context', () => {
  const config = (content: Partial<Content> = {}) =>
    load(write(toFile(simple('https://one:6443/', content))));
  test('is resolved with its cluster and its user, and a server without a trailing slash', async () => {
    assert.deepEqual(selectContext(await config(), 'x'), {
      name: 'x',
      server: 'https://one:6443',
      cluster: { server: 'https://one:6443/' },
      user: { token: 'https://one:6443/' },
    });
  });
  test('keeps a path in its server', async () =>
    assert.equal(
      selectContext(
        await config({ clusters: { c: { server: 'https://r/k8s/clusters/c-1/' } } }),
        'x',
      ).server,
      'https://r/k8s/clusters/c-1',
    ));
  test('that is unknown is a usage error, also without any file', async () => {
    const nothing = await load(missing);
    assert.throws(() => selectContext(nothing, 'y'), { code: 'context-unknown', exitCode: 2 });
  });
  const broken: [what: string, content: Partial<Content>, why: RegExp][] = [
    ['without its cluster', { clusters: {} }, /names the cluster "c", which has no server/],
    ['without a server', { clusters: { c: {} } }, /has no server/],
    ['whose server is no URL', { clusters: { c: { server: 'one' } } }, /not a URL/],
    ['without its user', { users: {} }, /names the user "u", who is not defined/],
  ];
  for (const [what, content, why] of broken)
    test(`${what} is invalid`, () =>
      assert.rejects(async () => selectContext(await config(content), 'x'), invalid(why)));
});
