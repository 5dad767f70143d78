import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs, {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { Deadline } from '../../../../../src/lib/core/deadline.ts';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import {
  type ContextToSet,
  removeContext,
  setContext,
} from '../../../../../src/lib/kube/kubeconfig/contexts.ts';
import { editKubeconfig } from '../../../../../src/lib/kube/kubeconfig/edit.ts';
import { modeOf, newPath } from '../../../support/folder.ts';
import {
  addContexts,
  addedContexts,
  imports,
  startWriter,
} from '../../../support/kubeconfig-writers.ts';
import { stepsOf } from '../../../support/steps.ts';

/** A file name in a folder of its own, with this content if given. */
function file(content?: string) {
  const folder = newPath();
  mkdirSync(folder);
  const name = path.join(folder, 'config');
  if (content !== undefined) writeFileSync(name, content, { mode: 0o600 });
  return name;
}

const target = (...files: string[]) => ({ env: { KUBECONFIG: files.join(path.delimiter) } });
const waiting = (timeoutMs = 20_000, signal = new AbortController().signal) => ({
  deadline: new Deadline(timeoutMs),
  signal,
});
const wanted = (name: string, more: Partial<ContextToSet> = {}): ContextToSet => ({
  context: name,
  cluster: { name: `${name}-cluster`, entry: { server: `https://${name}:6443` } },
  user: { name: `${name}-admin`, entry: { token: 'secret' } },
  ...more,
});
const set = (where: string, name: string, more?: Partial<ContextToSet>) =>
  setContext(target(where), wanted(name, more), waiting());
const text = (name: string) => readFileSync(name, 'utf8');
// biome-ignore lint/suspicious/noExplicitAny: whatever the file holds
const content = (name: string): any => parse(text(name));
/** Nothing else is in its folder. */
const hasNoOther = (name: string) => assert.deepEqual(readdirSync(path.dirname(name)), ['config']);
function locked() {
  const name = file(present);
  writeFileSync(`${name}.lock`, '');
  return name;
}
const names = (list: { name: string }[]) => list.map(({ name }) => name);
const fails = (code: string, why: RegExp) => (error: unknown) =>
  error instanceof StellarError &&
  error.code === code &&
  why.test(`${error.message} ${stepsOf(error)}`) &&
  !error.message.includes('secret');

const present = `# mine
apiVersion: v1
kind: Config
preferences: {}
clusters:
# the big one
- cluster:
    server: https://a:6443   # behind the firewall
    x-team: {owner: me, since: 2020}
  name: a
- name: b
  cluster: {server: "https://b:6443", proxy-url: 'http://proxy'}
contexts:
- context:
    cluster: a
    extensions:
    - extension:
        last-update: Mon
        provider: minikube.sigs.k8s.io
      name: context_info
    user: ua
  name: a   # used on Mondays

- context: {cluster: b, user: ub, namespace: web}
  name: b
current-context: a
users:
- name: ua
  user:
    client-certificate-data: QUJD
    # rotated in May
    client-key-data: c2VjcmV0
- name: ub
  user: {tokenFile: ./token}
x-unknown:
  - 1
  - two
`;

describe('setting a context', () => {
  test('adds it, and changes nothing else in the file', async () => {
    const name = file(present);
    const result = await set(name, 'its1');
    assert.deepEqual(result, { file: name, changed: true });
    // The yaml package only normalizes spaces before a comment and the indentation of lists.
    const lines = (yaml: string) =>
      yaml.split('\n').map((line) => line.trim().replace(/\s+/g, ' '));
    const kept = lines(text(name));
    assert.deepEqual(
      lines(present).filter((line) => !kept.includes(line)),
      [],
    );
    const before = parse(present);
    const { clusters, contexts, users, ...rest } = content(name);
    const { clusters: _, contexts: __, users: ___, ...restBefore } = before;
    assert.deepEqual(rest, restBefore);
    assert.deepEqual(clusters, [
      ...before.clusters,
      { cluster: { server: 'https://its1:6443' }, name: 'its1-cluster' },
    ]);
    assert.deepEqual(users, [...before.users, { name: 'its1-admin', user: { token: 'secret' } }]);
    assert.deepEqual(contexts.at(-1), {
      context: { cluster: 'its1-cluster', user: 'its1-admin' },
      name: 'its1',
    });
  });

  test('does not write an unchanged context again', async () => {
    const name = file(present);
    await set(name, 'its1');
    const before = statSync(name);
    const result = await set(name, 'its1');
    assert.deepEqual(
      [result.changed, statSync(name).ino, statSync(name).mtimeMs],
      [false, before.ino, before.mtimeMs],
    );
  });

  test('keeps the unknown fields of its entries, and replaces old credentials', async () => {
    const name = file(present);
    await set(name, 'a', {
      cluster: {
        name: 'a',
        entry: { server: 'https://a:6443', 'certificate-authority-data': 'REVG' },
      },
      user: { name: 'ua', entry: { token: 'new' } },
    });
    const { clusters, users, contexts } = content(name);
    assert.deepEqual(clusters[0].cluster, {
      server: 'https://a:6443',
      'x-team': { owner: 'me', since: 2020 },
      'certificate-authority-data': 'REVG',
    });
    assert.deepEqual(users[0].user, { token: 'new' });
    assert.equal(contexts[0].context.extensions[0].extension.provider, 'minikube.sigs.k8s.io');
    assert.match(text(name), /# the big one\n.*\n {4}server: https:\/\/a:6443\n/);
    assert.match(text(name), /name: a # used on Mondays\n\n- context: \{cluster: b/);
  });

  test('edits its own extension, and keeps the others', async () => {
    const name = file(present);
    const more = {
      cluster: { name: 'a' },
      user: { name: 'ua' },
      extensions: { mine: (old: unknown) => ({ seen: [old ?? null] }) },
    };
    await set(name, 'a', more);
    await set(name, 'a', more);
    const [first, second] = content(name).contexts[0].context.extensions;
    assert.equal(first.extension.provider, 'minikube.sigs.k8s.io');
    assert.deepEqual(second, { name: 'mine', extension: { seen: [{ seen: [null] }] } });
  });

  test('makes it the current one if there is none, or on request', async () => {
    const name = file('current-context: ""\n');
    for (const each of ['one', 'two']) await set(name, each);
    assert.equal(content(name)['current-context'], 'one');
    await set(name, 'two', { makeCurrent: true });
    assert.equal(content(name)['current-context'], 'two');
  });

  test('creates a private file with its folder', async () => {
    const name = path.join(path.dirname(file()), 'new', 'folder', 'config');
    await set(name, 'its1');
    assert.equal(modeOf(name), '600');
    assert.equal(modeOf(path.dirname(name)), '700');
    assert.equal(content(name).kind, 'Config');
    hasNoOther(name);
  });

  test('edits JSON, which is YAML as well', async () => {
    const name = file(JSON.stringify(parse(present), null, 4));
    await set(name, 'its1');
    assert.deepEqual(names(content(name).contexts), ['a', 'b', 'its1']);
  });

  test('accepts a name with another meaning in YAML as kubectl reads it', async () => {
    const name = file(
      'clusters: [{name: c, cluster: {insecure-skip-tls-verify: yes, since: 2020-01-01}}]\n',
    );
    for (const each of ['no', 'On', 'y', '017', '1_0', '1e3', '~', '0x1']) await set(name, each);
    assert.deepEqual(
      names(parse(text(name), { version: '1.1' }).contexts),
      names(content(name).contexts),
    );
    assert.match(text(name), /insecure-skip-tls-verify: yes, since: 2020-01-01/);
    assert.doesNotMatch(text(name), /%YAML/);
  });

  test('is computed but not written in a dry run', async () => {
    const name = path.join(path.dirname(file()), 'new', 'config');
    const result = await setContext({ ...target(name), dryRun: true }, wanted('its1'), waiting());
    assert.deepEqual([result.changed, existsSync(path.dirname(name))], [true, false]);
  });
});

const lists = [
  ['clusters', 'cluster'],
  ['users', 'user'],
  ['contexts', 'context'],
] as const;

interface Given {
  clusters: [name: string, entry: object][];
  users: [name: string, entry: object][];
  contexts: [name: string, entry: object][];
  unknown: object;
  indented: boolean;
}

/** A kubeconfig with a separate comment at every possible place. */
function commented({ unknown, indented, ...given }: Given) {
  let comments = 0;
  const comment = () => `# comment ${comments++}`;
  const margin = indented ? '  ' : '';
  const lines = [comment(), `unknown: ${JSON.stringify(unknown)} ${comment()}`];
  for (const [list, field] of lists) {
    lines.push(`${list}:${given[list].length === 0 ? ' []' : ''}`);
    for (const [name, entry] of given[list]) {
      lines.push(
        `${margin}${comment()}`,
        `${margin}- name: ${name} ${comment()}`,
        `${margin}  ${field}:`,
      );
      lines.push(`${margin}    x: 1`);
      for (const [key, value] of Object.entries(entry))
        lines.push(`${margin}    ${key}: ${JSON.stringify(value)}`);
    }
  }
  return `${lines.join('\n')}\n${comment()}\n`;
}

test('everything else in a kubeconfig survives, including comments outside of the entries that change', async () => {
  const values = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.string(), { maxLength: 2 }),
  );
  const entry = fc.dictionary(fc.constantFrom('server', 'y', 'z'), values, {
    noNullPrototype: true,
  });
  const list = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), entry), {
    selector: ([name]) => name,
    maxLength: 4,
  });
  const kubeconfig = fc.record({
    clusters: list,
    users: list,
    contexts: list,
    unknown: entry,
    indented: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(kubeconfig, fc.constantFrom('a', 'new'), async (given, name) => {
      const before = commented(given);
      const where = file(before);
      const othersIn = (document: Record<string, { name: string }[]>) =>
        lists.map(([each]) => (document[each] ?? []).filter((item) => item.name !== name));
      await set(where, name, {
        cluster: { name, entry: { server: 'https://z' } },
        user: { name, entry: { token: 't' } },
        isOurs: () => true,
      });
      assert.deepEqual(othersIn(content(where)), othersIn(parse(before)));
      assert.deepEqual(content(where).unknown, parse(before).unknown);
      const kept = before.replaceAll(`- name: ${name} #`, '').match(/# comment \d+/g);
      assert.deepEqual(text(where).match(/# comment \d+/g), kept);

      await removeContext(target(where), name, waiting());
      assert.ok(!names(content(where).contexts).includes(name));
      assert.deepEqual(content(where).unknown, parse(before).unknown);
      assert.deepEqual(othersIn(content(where))[2], othersIn(parse(before))[2]);
    }),
    { numRuns: 100 },
  );
});

describe('several files', () => {
  const one = (name: string) =>
    `clusters: [{name: ${name}, cluster: {server: 'https://${name}:6443'}}]\n` +
    `contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}}}]\nusers: [{name: ${name}, user: {}}]\n`;

  test('change an entry where it is defined, and add a new one to the first that exists', async () => {
    const [missing, first, second] = [
      file(),
      file(one('a')),
      file(`${one('b')}current-context: b\n`),
    ];
    const where = target(missing, first, second);
    const old = wanted('b', {
      cluster: { name: 'b' },
      user: { name: 'b', entry: { token: 'new' } },
    });
    assert.equal((await setContext(where, old, waiting())).file, second);
    assert.equal(text(first), one('a'));
    const result = await setContext(where, wanted('its1', { makeCurrent: true }), waiting());
    assert.equal(result.file, first);
    assert.deepEqual(
      [names(content(first).contexts), names(content(second).contexts)],
      [['a', 'its1'], ['b']],
    );
    assert.deepEqual(
      [content(first)['current-context'], content(second)['current-context']],
      [undefined, 'its1'],
    );
    assert.equal(existsSync(missing), false);
  });

  test('create the last one if none exists', async () => {
    const [first, second] = [file(), file()];
    assert.equal((await setContext(target(first, second), wanted('its1'), waiting())).file, second);
    assert.equal(existsSync(first), false);
  });

  test('keep a cluster that a hidden context uses', async () => {
    const [first, second] = [file(one('a')), file(one('a'))];
    await removeContext(target(first, second), 'a', waiting());
    assert.deepEqual(names(content(first).clusters), ['a']);
    assert.equal(text(second), one('a'));
  });

  test('the list may be empty', () =>
    assert.rejects(set(':', 'its1'), fails('file-error', /KUBECONFIG/)));
});

describe('a file is the same under every name:', { concurrency: true }, () => {
  const spellings: [what: string, spell: (name: string) => string][] = [
    ['relative', (name) => path.relative(process.cwd(), name)],
    ['with a slash too many', (name) => `${path.dirname(name)}//config`],
    ['with a dot', (name) => `${path.dirname(name)}/./config`],
    ['through a link to its folder', (name) => linked(name)],
    [
      'through a link, and back from where that leads',
      (name) => `${linkTo(below(name))}/../config`,
    ],
  ];
  function linkTo(folder: string) {
    const link = path.join(path.dirname(file()), 'link');
    symlinkSync(folder, link);
    return link;
  }
  function below(name: string) {
    const folder = path.join(path.dirname(name), 'below');
    mkdirSync(folder);
    return folder;
  }

  for (const [what, spell] of spellings) {
    test(what, async () => {
      const [existing, missing] = [file(present), file()];
      for (const name of [existing, missing]) {
        await setContext(target(spell(name)), wanted('its1'), waiting(0));
        assert.ok(names(content(name).contexts).includes('its1'));
        rmSync(path.join(path.dirname(name), 'below'), { recursive: true, force: true });
        hasNoOther(name);
      }
    });
  }

  const linked = (name: string) => `${linkTo(path.dirname(name))}/config`;
  test('under the lock of the plain one', async () => {
    const name = locked();
    await assert.rejects(
      setContext(target(linked(name)), wanted('its1'), waiting(0)),
      fails('timeout', /config\.lock/),
    );
  });
  test('in a list with the plain one', async () => {
    const name = file(present);
    const where = target(name, linked(name));
    assert.equal((await setContext(where, wanted('its1'), waiting(0))).file, name);
    await removeContext(where, 'a', waiting(0));
    assert.deepEqual(names(content(name).contexts), ['b', 'its1']);
  });
  test('also if its folder does not exist yet', async () => {
    const folder = linkTo(path.dirname(file()));
    const name = `${folder}/new/config`;
    await setContext(target(name, `${folder}//new/config`), wanted('its1'), waiting(0));
    hasNoOther(name);
  });
});

describe('a dry run detects that', () => {
  const dry = (where: string) =>
    setContext({ ...target(where), dryRun: true }, wanted('its1'), waiting());
  const help = /cannot be written: .*--kubeconfig FILE/;

  for (const special of ['/dev/null', 'pipe']) {
    test(`the path is not a file: ${special}`, { timeout: 10_000 }, async () => {
      const name = special === 'pipe' ? file() : special;
      if (special === 'pipe') execFileSync('mkfifo', [name]);
      await assert.rejects(dry(name), fails('file-error', /not a regular file/));
      await assert.rejects(set(name, 'its1'), fails('file-error', /not a regular file/));
      await removeContext(target(name), 'its1', waiting());
    });
  }

  /** How a dry run and an edit by a user other than root end. */
  function dryAsSomebody(name: string): string[] {
    // Root may read the sources, which other users perhaps may not, and is another user then.
    const script = `${imports}
      if (process.getuid() === 0) {
        process.setgroups([]);
        process.setgid(65534);
        process.setuid(65534);
      }
      const waiting = { deadline: new Deadline(0), signal: new AbortController().signal };
      const wanted = { context: 'c', cluster: { name: 'c', entry: { server: 'https://c' } }, user: { name: 'c', entry: {} } };
      for (const dryRun of [true, false])
        await setContext({ file: process.argv[1], env: {}, dryRun }, wanted, waiting).then(
          () => console.log('done'),
          (error) => console.log(error.code, error.message, stepLines(error.next).join(' ')),
        );`;
    const args = ['--input-type=module', '-e', script, name];
    return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n');
  }
  /** Gives a file and its folder to the user of `dryAsSomebody`. */
  const owned = (name: string) => {
    if (process.getuid?.() !== 0) return;
    chmodSync(path.join(name, '../..'), 0o711);
    for (const each of [path.dirname(name), name]) chownSync(each, 65534, 65534);
  };

  for (const [what, protect] of [
    ['the file may not be written', (name: string) => chmodSync(name, 0o400)],
    ['its folder may not be written to', (name: string) => chmodSync(path.dirname(name), 0o500)],
  ] as const) {
    test(what, () => {
      const [free, name] = [file(present), file(present)];
      for (const each of [free, name]) owned(each);
      assert.deepEqual(dryAsSomebody(free), ['done', 'done']);
      for (const each of [free, name]) protect(each);
      for (const end of dryAsSomebody(name)) assert.match(end, help);
      assert.equal(text(name), present);
      assert.deepEqual(
        dryAsSomebody(free),
        ['done', 'done'],
        'what is so already needs no writing',
      );
      for (const each of [free, name]) chmodSync(path.dirname(each), 0o700);
      hasNoOther(name);
    });
  }
});

describe('a name that refers to another cluster', () => {
  const taken = (why: RegExp) => fails('context-taken', why);

  test('is not replaced, and the error has a next step', async () => {
    const name = file(present);
    const its1 = wanted('a', { cluster: { name: 'other', entry: { server: 'https://other' } } });
    await assert.rejects(
      setContext(target(name), its1, waiting()),
      taken(/context "a".*https:\/\/a:6443.*rename-context a NEW-NAME/),
    );
    assert.equal(text(name), present);
  });
  for (const [what, part] of [
    ['cluster', { cluster: { name: 'b', entry: { server: 'https://other' } } }],
    ['user', { user: { name: 'ub', entry: { token: 't' } } }],
  ] as const) {
    test(`is not replaced if a ${what} of that name exists either`, async () => {
      const name = file(present);
      await assert.rejects(
        set(name, 'new', part),
        taken(new RegExp(`${what} "u?b" already, which the context b uses`)),
      );
      assert.equal(text(name), present);
    });
  }
  test('is replaced if it is ours, and on request', async () => {
    const [mine, asked] = [file(present), file(present)];
    await set(mine, 'a', {
      isOurs: ({ name, server }) => name === 'a' && server === 'https://a:6443',
    });
    await set(asked, 'a', { isOurs: () => true });
    for (const name of [mine, asked])
      assert.equal(content(name).contexts[0].context.cluster, 'a-cluster');
  });
  test('is free if its cluster no longer exists', async () => {
    const name = file('contexts: [{name: a, context: {cluster: gone, user: gone}}]\n');
    assert.equal((await set(name, 'a')).changed, true);
  });
  test('does not matter if the server is the same', async () => {
    const name = file(present);
    await set(name, 'a', { cluster: { name: 'a', entry: { server: 'https://a:6443/' } } });
  });
});

describe('removing a context', () => {
  test('removes its cluster and user, and makes another one current', async () => {
    const name = file(present);
    await removeContext(target(name), 'a', waiting(), 'b');
    const { contexts, clusters, users, 'current-context': current } = content(name);
    assert.deepEqual(
      [names(contexts), names(clusters), names(users), current],
      [['b'], ['b'], ['ub'], 'b'],
    );
  });
  test('leaves none current if there is nothing to restore', async () => {
    const name = file(present);
    await removeContext(target(name), 'a', waiting(), 'gone');
    assert.equal(content(name)['current-context'], '');
  });
  test('does not change the file if it does not exist', async () => {
    const name = file(present);
    await removeContext(target(name), 'its1', waiting());
    assert.equal(text(name), present);
  });
});

describe('the file itself', () => {
  test('stays a symbolic link', async () => {
    const [place, link] = [file(present), file()];
    symlinkSync(path.relative(path.dirname(link), place), link);
    await set(link, 'its1');
    assert.ok(names(content(place).contexts).includes('its1'));
    assert.equal(readFileSync(link, 'utf8'), text(place));
    assert.deepEqual(
      [readdirSync(path.dirname(link)), readdirSync(path.dirname(place))],
      [['config'], ['config']],
    );
    assert.ok(lstatSync(link).isSymbolicLink());
  });
  for (const [what, broken, why] of [
    ['no YAML', 'token: secret\n  - secret: [', /not YAML \(line \d\)/],
    ['no kubeconfig', '- secret', /not a kubeconfig/],
    ['a list that is none', 'contexts: secret', /"contexts" is not a list/],
    [
      'an anchor that others need',
      'clusters:\n- &c\n  name: c\n  cluster: {}\n- *c\n',
      /has the name "c" twice/,
    ],
  ] as const) {
    test(`with ${what} is rejected, without quoting it`, async () => {
      const name = file(broken);
      await assert.rejects(set(name, 'its1'), fails('kubeconfig-invalid', why));
      assert.equal(text(name), broken);
    });
  }
  test('keeps its owner, unless it is exported', async (t) => {
    const name = file(present);
    // Only root can give a file to another user: from others, it is asked for.
    const [own, isRoot] = [process.getuid?.(), process.getuid?.() === 0];
    if (isRoot) chownSync(name, 65534, 65534);
    const { uid } = statSync(name);
    const given: unknown[] = [];
    const { fchownSync } = fs;
    t.mock.method(fs, 'fchownSync', (descriptor: number, user: number, group: number) => {
      given.push(user);
      if (isRoot) fchownSync(descriptor, user, group);
    });
    syncBuiltinESMExports();
    const use = (isExport: boolean, context: string) =>
      editKubeconfig(
        { ...target(name), isExport },
        (draft) => {
          draft.currentContext = context;
        },
        waiting(),
      );
    await use(false, 'b');
    assert.equal(statSync(name).uid, uid);
    await use(true, 'a');
    assert.equal(statSync(name).uid, own);
    assert.deepEqual(given, [uid]);
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  test('is read again if another program writes it without a lock meanwhile', async () => {
    const name = file(present);
    let times = 0;
    await editKubeconfig(
      target(name),
      (draft) => {
        if (times++ === 0)
          writeFileSync(name, present.replace('namespace: web', 'namespace: changed'));
        draft.currentContext = 'b';
      },
      waiting(),
    );
    assert.deepEqual([times, content(name).contexts[1].context.namespace], [2, 'changed']);
  });
});

describe('entries that share their content by YAML aliases', () => {
  const shared = `clusters:
- name: one
  cluster: &cluster {server: "https://one:6443"}
- name: two
  cluster: *cluster
`;
  test('are not edited: each would change with the others', async () => {
    const name = file(shared);
    for (const edit of [
      set(name, 'its1'),
      editKubeconfig(target(name), (draft) => draft.remove('clusters', 'one'), waiting()),
    ])
      await assert.rejects(
        edit,
        fails('kubeconfig-invalid', /it has YAML aliases, so it cannot be edited/),
      );
    assert.equal(text(name), shared);
  });
  test('are no error if nothing changes', async () => {
    const name = file(shared);
    await removeContext(target(name), 'gone', waiting());
    assert.equal(text(name), shared);
  });
  test('are rejected if they contain themselves', async () => {
    const name = file('x: &x [*x]\n');
    await assert.rejects(set(name, 'its1'), fails('kubeconfig-invalid', /YAML/));
  });
});

test('a file that cannot be replaced, as a mount of `docker run -v FILE:FILE`, is reported and unchanged', async (t) => {
  const name = file(present);
  t.mock.method(fs, 'renameSync', () => {
    throw Object.assign(new Error('EBUSY: injected'), { code: 'EBUSY' });
  });
  syncBuiltinESMExports();
  await assert.rejects(set(name, 'its1'), fails('file-error', /EBUSY.* a copy/));
  t.mock.restoreAll();
  syncBuiltinESMExports();
  assert.deepEqual([text(name), readdirSync(path.dirname(name))], [present, ['config']]);
});

describe("locks, compatible with client-go's (FILE.lock):", () => {
  const isolated = { timeout: 180_000 };

  test('ten concurrent writers lose nothing', isolated, async () => {
    const name = file(present);
    const prefixes = 'cdefghijkl'.split('');
    const ends = await Promise.all(
      prefixes.map(async (prefix) => (await once(addContexts(name, prefix, 5), 'exit'))[0]),
    );
    assert.deepEqual(
      ends,
      prefixes.map(() => 0),
    );
    assert.deepEqual(
      names(content(name).contexts).sort(),
      ['a', 'b', ...prefixes.flatMap((prefix) => addedContexts(prefix, 5))].sort(),
    );
    hasNoOther(name);
  });

  test('a lock that is released is waited for', async () => {
    const name = locked();
    setTimeout(() => rmSync(`${name}.lock`), 200);
    assert.equal((await set(name, 'its1')).changed, true);
  });

  test('a stale lock is named, with a next step', async () => {
    const name = locked();
    utimesSync(`${name}.lock`, new Date(), new Date(Date.now() - 60_000));
    await assert.rejects(
      set(name, 'its1'),
      fails('file-error', new RegExp(`held for 6\\d s.* rm ${name}.lock`)),
    );
    assert.ok(existsSync(`${name}.lock`));
    assert.equal(text(name), present);
  });

  test('the wait for a lock can be interrupted', async () => {
    const name = locked();
    const interrupt = new AbortController();
    setTimeout(() => interrupt.abort(), 50);
    await assert.rejects(
      setContext(target(name), wanted('its1'), waiting(20_000, interrupt.signal)),
      fails('interrupted', /./),
    );
  });

  test('a failed edit leaves no lock', async () => {
    const name = file(present);
    const edit = () => {
      throw new Error('no');
    };
    await assert.rejects(editKubeconfig(target(name), edit, waiting()), /no/);
    hasNoOther(name);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} in the middle leaves no lock and a complete file`, isolated, async () => {
      const name = file(present);
      // As src/commands/session.ts does on a second signal.
      const child = startWriter(`process.on('${signal}', () => process.exit(7));
        await editKubeconfig({ env: { KUBECONFIG: ${JSON.stringify(name)} } }, (draft) => {
          console.log('locked');
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
          draft.currentContext = 'b';
        }, waiting);
        await new Promise((resolve) => setTimeout(resolve, 5000));`);
      await once(child.stdout, 'data');
      assert.deepEqual(readdirSync(path.dirname(name)), ['config', 'config.lock']);
      child.kill(signal);
      const [code] = await once(child, 'exit');
      assert.equal(code, 7);
      hasNoOther(name);
      assert.equal(content(name)['current-context'], 'b');
    });
  }
});
