/** The rules of the code base that biome.json cannot express. */
import './support/environment.ts';
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { countTokens, functionsIn } from '../../scripts/size.ts';
import { circlesIn, importsOf, loadedModules } from './support/imports.ts';
import { filesOf, filesWith, read, sources } from './support/sources.ts';

/** The sources that load such a module. */
const filesLoading = (name: RegExp) =>
  sources.flatMap(({ file, text }) =>
    loadedModules(text).some((module) => name.test(module)) ? [file] : [],
  );
/** The sources with such a line. */
const filesWithLine = (isMeant: (line: string) => boolean) =>
  sources.flatMap(({ file, text }) => (text.split('\n').some(isMeant) ? [file] : []));
const inLibrary = (file: string) => file.startsWith('src/lib/');

/** There are such files, and all but these others are in the folder. */
function onlyIn(folder: string, files: readonly string[], others: readonly string[] = []) {
  assert.ok(files.length > 0, 'this test sees nothing');
  assert.deepEqual(
    files.filter((file) => !file.startsWith(folder)),
    others,
  );
}

test('only src/lib/kube loads client-node; others may import its types', () =>
  onlyIn('src/lib/kube/', filesLoading(/^@kubernetes\/client-node\b/)));

test('nothing depends on the locale or the time zone of the user', () => {
  const dependent =
    /\.(?:localeCompare|toLocale\w*|get(?:Hours|Minutes|Date|Day|Month|FullYear|TimezoneOffset))\(|\bIntl\./;
  assert.ok(dependent.test('a.localeCompare(b)'));
  assert.deepEqual(filesWith(dependent), []);
});

/**
 * The rooms of src/lib, with their folders. A room imports only from those before it, types included, and a folder of a room only from
 * the folders before it; the files of a room that are in no folder are its last. Nothing of src/lib imports the commands.
 */
const rooms: Record<string, readonly string[]> = {
  core: ['text'],
  kube: ['kubeconfig', 'client'],
  ocm: ['model', 'versions', 'hub', 'agent'],
  spaces: ['hosting', 'space', 'choose', 'roles', 'local', 'install'],
  workloads: ['selection', 'status', 'delivery', 'policy'],
  forecast: [],
  policies: [],
  maintenance: [],
  wecs: ['registration', 'diagnose', 'follow', 'values', 'join', 'deregister'],
  installation: [],
  fleet: [],
  doctor: [],
};
const order = Object.entries(rooms).flatMap(([room, folders]) => [
  ...folders.map((folder) => `src/lib/${room}/${folder}`),
  `src/lib/${room}`,
]);

test('rooms and their folders have one direction', () => {
  const placeOf = (file: string) => order.indexOf(path.dirname(file));
  const library = sources.filter(({ file }) => inLibrary(file));
  const unknown = library.filter(({ file }) => placeOf(file) === -1).map(({ file }) => file);
  assert.deepEqual(unknown, []);
  const arrows = library.flatMap(({ file, text }) =>
    importsOf(file, text).map((target) => ({ file, target })),
  );
  assert.ok(
    arrows.some(({ file, target }) => placeOf(file) > placeOf(target)),
    'this test sees no import at all',
  );
  const up = arrows.filter(
    ({ file, target }) => placeOf(target) === -1 || placeOf(target) > placeOf(file),
  );
  assert.deepEqual(
    up.map(({ file, target }) => `${file} imports ${target}`),
    [],
  );
});

test('no folder has more than 20 files', () => {
  const folders = Map.groupBy(sources, ({ file }) => path.dirname(file));
  const large = [...folders].flatMap(([folder, files]) => (files.length > 20 ? folder : []));
  assert.deepEqual(large, []);
});

test('no file imports itself through others, not even types', () => {
  const imports = new Map(sources.map(({ file, text }) => [file, importsOf(file, text)]));
  assert.deepEqual(
    circlesIn(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
        ['d', ['a']],
      ]),
    ),
    ['b', 'c'],
  );
  assert.deepEqual(circlesIn(imports), []);
});

test('names and types of the systems read nothing', () => {
  const model = sources.filter(({ file }) => file.startsWith('src/lib/ocm/model/'));
  assert.ok(model.length > 0);
  const loaded = model.flatMap(({ file, text }) =>
    loadedModules(text).map((module) => path.join(path.dirname(file), module)),
  );
  assert.ok(loaded.length > 0, 'this test sees no import at all');
  const beyond = loaded.filter((file) => !/^src\/lib\/(?:core|ocm\/model)\//.test(file));
  assert.deepEqual(beyond, []);
});

test('only src/lib/core decides how long a failure is tolerated', () =>
  onlyIn('src/lib/core/', filesWith(/\bPatience\b|\.final\b/)));

test('the library neither ends the process nor touches its streams', () => {
  const enders = filesWith(/\bprocess\.(exit|abort|kill|std(in|out|err))\b/);
  assert.deepEqual(enders.filter(inLibrary), []);
});

test('only src/commands/terminal writes to the terminal, where everything is cleaned', () =>
  onlyIn('src/commands/terminal/', filesWith(/\b(?:stdout|stderr|stream|terminal)\.write\(/)));

test('only src/lib/core/program.ts runs programs, and never through a shell', () => {
  const runner = 'src/lib/core/program.ts';
  assert.deepEqual(filesLoading(/^(node:)?child_process$|^execa$/), [runner]);
  assert.doesNotMatch(read(runner), /\bshell\b\s*[:,}]|execaCommand|\/bin\/sh/);
});

test('only these places open connections, and only to the clusters of contexts', () => {
  const openers = filesWith(/\bfetch\(|\bWebSocket\b|from 'node:(?:http2?|https|tls|net|dgram)'/);
  onlyIn('src/lib/kube/client/', openers, [
    // Tests whether a port of this machine is in use.
    'src/lib/doctor/preflight-checks.ts',
    // Compares addresses.
    'src/lib/ocm/hub/endpoint.ts',
    // Asks the registry of `init --image-registry`, without credentials.
    'src/lib/spaces/space/space-images.ts',
  ]);
});

test('only what reads a certificate, without credentials and without a request, does not verify it', () =>
  assert.deepEqual(filesWith(/rejectUnauthorized: false/), ['src/lib/kube/client/credentials.ts']));

test('suggested commands are quoted by the tag `command`', () => {
  const untagged =
    /(?<!command)`[^`]*\b(?:stellarctl (?:init|its|wds|wec|policy|workload|status|doctor|report|accept|label|deregister) |(?:kubectl|clusteradm) [a-z-])[^`]*\$\{/;
  assert.notDeepEqual(filesWith(/command`[^`]*\$\{/), []);
  assert.deepEqual(
    filesWithLine((line) => untagged.test(line)),
    [],
  );
});

test('commands of this program begin a text, so they match the name under which it was called', () => {
  const inside =
    /(?<!['"`]|&& )\bstellarctl (?:init|its|wds|wec|policy|workload|status|doctor|report|accept|label|deregister)\b/;
  assert.match("'See stellarctl wec list'", inside);
  const offenders = filesWithLine((line) => inside.test(line) && !/^ *(?:\/?\*|\/\/)/.test(line));
  // Goes into the ITS, where others read it.
  assert.deepEqual(offenders, ['src/lib/ocm/hub/registration-requests.ts']);
});

test('a list that was not seen is an empty one only where it is shown', () =>
  assert.deepEqual(filesWith(/\b(?:seen|shown)List\([^;]*\?\? \[\]/), [
    'src/lib/kube/client/missing.ts',
  ]));

test('one place redacts what goes into a report', () => {
  const contents = 'src/lib/doctor/report-contents.ts';
  for (const part of [/'\.\.\/core\/text\/redact\.ts'/, /files\.push\(/]) {
    const files = filesWith(part).filter((file) => file.startsWith('src/lib/doctor/report'));
    assert.deepEqual(files, [contents]);
  }
});

test('one place decides whether a failure of one cluster ends a command', () =>
  assert.deepEqual(filesWith(/instanceof StellarError\b.*'interrupted'/), [
    'src/lib/core/errors.ts',
  ]));

test('one place decides why an agent must re-register: only it gives these codes', () => {
  const table = read('src/lib/wecs/registration/problems.ts');
  const list = table.slice(
    table.indexOf('const ofCredentials'),
    table.indexOf('export const needsToken'),
  );
  const codes = [...list.matchAll(/'([a-z]+(?:-[a-z]+)+)'/g)];
  assert.ok(codes.length > 10, 'this test sees no codes');
  // Errors of these names are refusals of a command.
  const errors = ['registered-elsewhere', 'token-expired'];
  const names = codes.flatMap(([, code = '']) => (errors.includes(code) ? [] : `'${code}'`));
  const judges = filesWith(new RegExp(names.join('|')));
  onlyIn('src/lib/wecs/registration/reregister', judges, [
    // Asks for two codes.
    'src/lib/wecs/join/joining.ts',
    // Lists them, and those that show without the WEC.
    'src/lib/wecs/registration/problems.ts',
    // The stage that fails for the same cause has its code.
    'src/lib/wecs/registration/registration-checks.ts',
  ]);
});

test('one place says whether an agent runs and reports, by its Lease and its pods', () =>
  onlyIn(
    'src/lib/ocm/agent/agent-life.ts',
    filesWith(/\b(?:renewedAt|hasRunningPods|agentStarted)\(/),
    [
      // Has two of them.
      'src/lib/ocm/agent/wec-evidence.ts',
      // The Lease of the hub's own controller.
      'src/lib/wecs/deregister/delete-cluster.ts',
      // Whether there is an agent that could be restarted.
      'src/lib/wecs/join/restart-agent.ts',
    ],
  ));

test('only these write Deployments, StatefulSets and pods, or make KubeFlex run a hook again', () => {
  const kinds = '(?:deployments|statefulSets|pods)';
  const writers = filesWith(
    new RegExp(
      [
        String.raw`\b(?:merge|delete|create)(?:<\w+>)?\(\s*resources\.${kinds}\b`,
        String.raw`\bdeleteObjects\(\s*\w+, resources\.(?:${kinds}|jobs)\b`,
        String.raw`resources\.controlPlanes, [\w.]+, \w+, \{ subresource: 'status' \}`,
        String.raw`\b(?:rerunHook|forgetHooks|rollOut)\(`,
        String.raw`import \{[^}]*\b(?:scale|stop)\b[^}]*\} from '[./]+/kube/scaling\.ts'`,
      ].join('|'),
    ),
  );
  assert.deepEqual(writers, [
    'src/lib/kube/scaling.ts',
    // A controller manager of KubeStellar that starts while the transport runs deletes workloads: these two change a WDS as `change` of
    // restartControllers, while both are stopped.
    'src/lib/maintenance/guard-wds.ts',
    // The transport alone, while a change is tried.
    'src/lib/maintenance/rehearse.ts',
    'src/lib/maintenance/repair-space.ts',
    // The protocol itself.
    'src/lib/maintenance/restart-wds.ts',
    'src/lib/maintenance/roll-out.ts',
    // OCM's operator.
    'src/lib/ocm/agent/klusterlet-operator.ts',
    'src/lib/ocm/versions/ocm-upgrade.ts',
    // What has never run, in a space that sends nothing.
    'src/lib/spaces/space/space-images.ts',
    'src/lib/spaces/space/space-manifests.ts',
    // OCM and the status add-on of an ITS.
    'src/lib/spaces/upgrade-its.ts',
    'src/lib/spaces/wds-controllers.ts',
    // The agent on a WEC.
    'src/lib/wecs/join/restart-agent.ts',
  ]);
  for (const file of ['guard-wds', 'repair-space'])
    assert.match(read(`src/lib/maintenance/${file}.ts`), /restartControllers\(\w+, run, .*change/);
});

test('durations and deadlines are by the clock that nobody can set', () =>
  assert.deepEqual(filesWith(/\bDate\.now\b/), [
    // Ages and expiry, of what does not say when its server wrote it.
    'src/lib/kube/client/errors.ts',
    'src/lib/kube/client/exec-plugin.ts',
    'src/lib/kube/client/kubeflex-certificate.ts',
    'src/lib/kube/client/transport.ts',
    'src/lib/kube/kubeconfig/edit.ts',
    'src/lib/ocm/hub/hub-access.ts',
    'src/lib/wecs/registration/identity.ts',
  ]));

test('no file has more than 2,900 tokens', () => {
  const long = sources.filter(({ text }) => countTokens(text) > 2900).map(({ file }) => file);
  assert.deepEqual(long, []);
});

test('no function has more than 800 tokens', () => {
  const long = sources.flatMap(({ file, text }) =>
    functionsIn(text).flatMap(({ opening, tokens }) =>
      tokens > 800 ? [`${file}: ${opening}`] : [],
    ),
  );
  assert.deepEqual(long, []);
});

test('each walk of docs/project-layout.md is at most 12 files and 13,200 tokens', () => {
  const layout = read('docs/project-layout.md');
  const walks = (/## Three walks\n([\s\S]*?)\n## /.exec(layout)?.[1] ?? '')
    .split(/^\*\*/m)
    .slice(1);
  assert.equal(walks.length, 3);
  for (const walk of walks) {
    const files = [...walk.matchAll(/^\d+\. `(.*?)`/gm)].map(([, file = '']) => file);
    const tokens = files.reduce((sum, file) => sum + countTokens(read(file)), 0);
    assert.ok(files.length > 5 && files.length <= 12, walk);
    assert.ok(tokens <= 13_200, `${tokens} tokens: ${walk}`);
  }
});

test('the library formats nothing for a screen', () => {
  const layout = /\.padEnd\(|\.join\((['"`]) {2,}\1\)|(['"`])(?:(?!\2).)*\S {2,}\S(?:(?!\2).)*\2/;
  for (const line of ["a.join('  ')", "'a   b'", '`a  b`']) assert.match(line, layout);
  const allowed = [
    // The text of next steps is created here, for scripts as well.
    'src/lib/core/next-step.ts',
    // Scripts get these lines as well, in the details of an error.
    'src/lib/wecs/registration/acceptance.ts',
  ];
  const offenders = filesWithLine((line) => layout.test(line));
  assert.deepEqual(offenders.filter(inLibrary), allowed);
});

test('no code tests or cuts steps and error messages', () => {
  const said = String.raw`(?:\b(?:error|failure|cause|problem)\??\.(?:message|why)|\bsteps?)\b`;
  const judged = new RegExp(
    String.raw`${said}\??\.(?:at|endsWith|includes|indexOf|match|matchAll|replace|replaceAll|search|slice|split|startsWith|trim)\(|\.(?:test|exec)\([^()]*${said}`,
  );
  for (const line of ["error.message.includes('x')", '/x/.test(failure.message)', 'step?.split(a)'])
    assert.match(line, judged);
  // Names given by commander.
  assert.deepEqual(filesWith(judged), ['src/cli.ts']);
});

test('each next step is a line of its own', () => {
  const joined = /\b(?:stepLines\([^()]*\)|steps)\??\.join\(|\btextOf\)/;
  for (const line of [
    "stepLines(next).join(' ')",
    "diagnosis.steps.join('; ')",
    'next.map(textOf)',
  ])
    assert.match(line, joined);
  assert.deepEqual(filesWith(joined), []);
  const severalCommands =
    /^\s*[12t]\|.*\b(?:kubectl|stellarctl) [a-z-]+ .*[\s:;·&("](?:kubectl|stellarctl) [a-z-]+ /;
  for (const line of [
    '2|   Use: stellarctl its list or stellarctl wds list ',
    '1| a kubectl get x    kubectl get y ',
  ])
    assert.match(line, severalCommands);
  const transcripts = filesOf('test/golden/**/*.txt');
  assert.ok(transcripts.length > 20);
  const lines = transcripts.flatMap((file) => read(file).split('\n'));
  assert.deepEqual(
    lines.filter((line) => severalCommands.test(`${line} `)),
    [],
  );
});

test('one place parses kubeconfigs as documents', () => {
  const parsers = filesWith(/import \{[^}]*\bparse\w*\b[^}]*\} from 'yaml'/);
  assert.deepEqual(
    parsers.filter((file) => file.startsWith('src/lib/kube/')),
    ['src/lib/kube/kubeconfig/edit.ts'],
  );
});

test('imports are distinguished from imports of types', () => {
  const text = [
    "import a from 'a';",
    "import type { B } from 'b';",
    "import { type C } from 'c';",
    "import {\n  d,\n  e,\n} from 'd';",
    "export { f } from 'e';",
    "export type { G } from 'g';",
    "import 'h';",
    "const i = await import('i');",
    "const { k, l } = await import(\n  'k'\n);",
    "type J = import('j').J;",
  ].join('\n');
  assert.deepEqual(loadedModules(text), ['a', 'c', 'd', 'e', 'h', 'i', 'k']);
});

test('each unit test can run by itself: it begins with an environment of its own', () => {
  const first = (file: string) => /^import\b[^']*'([^']+)'/m.exec(read(file))?.[1] ?? '';
  const files = filesOf('test/unit/**/*.test.ts');
  const wrong = files.filter(
    (file) => path.join(path.dirname(file), first(file)) !== 'test/unit/support/environment.ts',
  );
  assert.deepEqual(wrong, []);
  const started = files.filter((file) => /^import .*\/stellarctl\.ts'/m.test(read(file)));
  assert.ok(started.length > 0 && files.length > 200, 'this test sees nothing');
  const unbuilt = started.filter((file) => !/^import '.*\/support\/dist\.ts';$/m.test(read(file)));
  assert.deepEqual(unbuilt, [], 'they start what no run may have built');
});
