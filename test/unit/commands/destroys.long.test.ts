/**
 * A generated matrix: every command that destroys × 404, 403 and 503 for each kind that it reads, and further faults of lists,
 * other ITSes, WDSes, clusters and owners.
 * Either it refuses, and nothing is changed, or exactly what it names is gone. Whole commands run in this process, on clusters in
 * memory (destroy-world.ts) whose controllers do what the real ones do, such as collecting what loses its owner.
 *
 * Left out: an ITS or a WDS that is given to a command without that option; 404 for objects of kinds that every API server has;
 * lists of `deregister --undo`, which restores what another run has changed, and of `wec delete --force`, which asks no cluster; a
 * list that is empty with status 200 although there are objects, because nothing distinguishes it from a true one. A list that is cut
 * off is tried once for each kind of a cluster: for commands it is the same error as `{}`.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import timers from 'node:timers/promises';
import { parse } from 'yaml';
import type { Io } from '../../../src/commands/terminal/io.ts';
import { resources as kinds, type Resource } from '../../../src/lib/kube/client/objects.ts';
import { buildProgram } from '../../../src/program.ts';
import { destroyWorld } from '../support/destroy-world.ts';
import {
  type Asked,
  type Fault,
  failing,
  type Held,
  isBuiltIn,
  kindOf,
} from '../support/fake-clusters.ts';
import { fakeIo } from '../support/fake-io.ts';
import { deployment } from '../support/space-builders.ts';

const world = await destroyWorld();
const start = [...world.held];
Object.assign(globalThis, { STELLARCTL_VERSION: '0.0.0' });

// Pauses end at once, and the monotonic clock shows that they have passed.
const uptime = process.uptime.bind(process);
let slept = 0;
process.uptime = () => uptime() + slept / 1000;
timers.setTimeout = (async (ms = 0) => {
  slept += ms;
  await timers.setImmediate();
}) as typeof timers.setTimeout;
syncBuiltinESMExports();

/** The machine: kind with the clusters c1 and c9, and a kubeconfig. */
const home = mkdtempSync(path.join(tmpdir(), 'stellarctl-unit-'));
const [kubeconfig, machine] = [path.join(home, 'kubeconfig'), path.join(home, 'clusters')];
mkdirSync(path.join(home, 'bin'));
writeFileSync(
  path.join(home, 'bin', 'kind'),
  `#!/bin/sh
case "$*" in
  version) echo 'kind v0.31.0 go1.25 linux/amd64' ;;
  "get clusters") while read -r line; do echo "$line"; done < ${machine} ;;
  "get kubeconfig"*) while read -r line; do echo "$line"; done < ${home}/$4 ;;
  "delete cluster"*) case $4 in c1) echo c9 ;; *) echo c1 ;; esac > ${machine} ;;
esac
`,
);
chmodSync(path.join(home, 'bin', 'kind'), 0o755);
for (const name of ['c1', 'c9'])
  writeFileSync(path.join(home, name), `${world.kubeconfig({ [`kind-${name}`]: name })}\n`);
const clusters = [
  'hosting',
  'hosting2',
  'its1',
  'its2',
  'its3',
  'wds1',
  'wds2',
  'alien',
  'c1',
  'c2',
  'c9',
];
const mark = (name: string) => ({
  name: 'kubeflex',
  extension: { data: { 'controlplane-name': name, 'hosting-cluster-ctx-name': 'hosting' } },
});
const contexts = Object.fromEntries([
  ...clusters.map((name) => [name, name]),
  ['kind-c1', 'c1'],
  ['kind-c9', 'c9'],
]);
const kubeconfigText = world.kubeconfig(contexts, (name) =>
  /^(its|wds)/.test(name) ? { extensions: [mark(name)] } : {},
);

/** Everything that can be lost, by id. What counts how often an object was written does not count. */
function state(): Map<string, string> {
  const objects = [...world.held].map(([id, { object }]): [string, string] => {
    const {
      metadata: { generation, resourceVersion, ...metadata },
      status,
      ...rest
    } = object;
    return [id, JSON.stringify({ ...rest, metadata })];
  });
  const local = readFileSync(machine, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((name): [string, string] => [`machine ${name}`, '']);
  const text = readFileSync(kubeconfig, 'utf8');
  const entries =
    text === kubeconfigText
      ? []
      : ['contexts', 'users', 'clusters'].flatMap((kind) => entriesOf(text, kind));
  return new Map([...objects, ...local, ...(entries.length === 0 ? entriesBefore : entries)]);
}
const entriesOf = (text: string, kind: string): [string, string][] =>
  (parse(text)[kind] as { name: string }[]).map((entry) => [
    `kubeconfig ${kind} ${entry.name}`,
    JSON.stringify(entry),
  ]);
const entriesBefore = ['contexts', 'users', 'clusters'].flatMap((kind) =>
  entriesOf(kubeconfigText, kind),
);

interface Outcome {
  exitCode: unknown;
  says: string;
  /** The ids of what was removed, and of what was changed or added. */
  removed: string[];
  changed: string[];
  /** The kinds that it read, by name, each with whether it listed it, and whether it read it before its first write. */
  read: Map<string, { kind: Resource; isListed: boolean; isEarly: boolean }>;
}

async function run(line: string, alter: () => unknown = () => {}, fault?: Fault): Promise<Outcome> {
  world.held = new Map(
    start.map(([id, held]) => [id, { ...held, object: structuredClone(held.object) }]),
  );
  alter();
  writeFileSync(kubeconfig, kubeconfigText);
  writeFileSync(machine, 'c1\nc9\n');
  const before = state();
  const read: Outcome['read'] = new Map();
  let hasWritten = false;
  world.fault = fault;
  world.heard = (asked) => {
    if (asked.method !== 'GET') hasWritten = true;
    if (asked.method !== 'GET') return;
    const { isListed = false, isEarly = false } = read.get(kindOf(asked)) ?? {};
    read.set(kindOf(asked), {
      kind: asked.resource,
      isListed: isListed || asked.name === undefined,
      isEarly: isEarly || (isList(asked) && !hasWritten),
    });
  };
  const argv = line.split(' ');
  const { io, stdout, stderr } = fakeIo({
    env: { PATH: `${home}/bin`, HOME: home, KUBECONFIG: kubeconfig },
    argv,
  });
  const complete: Io = { ...io, stdin: { isTTY: false } as Io['stdin'], isOutputLost: () => false };
  const hang = setTimeout(() => assert.fail(`does not end: ${line}`), 120_000);
  await (await buildProgram(complete, 'stellarctl', argv)).parseAsync(argv, { from: 'user' });
  clearTimeout(hang);
  const { exitCode } = process;
  process.exitCode = undefined;
  const now = state();
  const removed = [...before.keys()].filter((id) => !now.has(id));
  const changed = [...now].filter(([id, text]) => before.get(id) !== text).map(([id]) => id);
  return { exitCode, says: stderr.text + stdout.text, removed, changed, read };
}

/** The one check of every cell. @param may what the command names; undefined if it has to refuse */
function check(
  line: string,
  { exitCode, says, removed, changed }: Outcome,
  may: RegExp | undefined,
): void {
  const all = [...removed, ...changed];
  const told = `\n$ stellarctl ${line}\n${says}exit ${exitCode}, removed or changed:\n  ${all.join('\n  ')}\n`;
  assert.doesNotMatch(says, /This is a bug/, told);
  assert.ok([0, 1, 2, 3, 4].includes(exitCode as number), told);
  const strange = all.filter((id) => !may?.test(id));
  assert.deepEqual(strange, [], `not named: ${told}`);
  if (may === undefined) assert.notEqual(exitCode, 0, `not refused: ${told}`);
  const lost = removed.filter((id) => /^c\d widgets/.test(id));
  if (/--keep|--local/.test(line)) assert.deepEqual(lost, [], `workloads lost: ${told}`);
}

const isList = ({ method, name }: Asked): boolean => method === 'GET' && name === undefined;
const lists =
  (answer: Fault): Fault =>
  (asked, healthy) =>
    isList(asked) ? answer(asked, healthy) : undefined;
const reads =
  (code: number): Fault =>
  ({ method }) =>
    method === 'GET' ? failing(code) : undefined;
const faults: Record<string, Fault> = {
  404: ({ method, resource, name }) =>
    method === 'GET' && (name === undefined || !isBuiltIn(resource)) ? failing(404) : undefined,
  503: reads(503),
  403: reads(403),
  '{}': lists(() => ({ body: {} })),
  'no second page': lists(({ query }) =>
    query.continue ? failing(404) : { body: { metadata: { continue: 'x' }, items: [] } },
  ),
  'cut off': lists((_, healthy) => ({ body: JSON.stringify(healthy().body).slice(0, -3) })),
};

const find = (id: string): Held => world.held.get(id) as Held;
const noAgents = () => {
  for (const pod of world.in('c1', kinds.pods)) world.remove(pod);
};
const hosted = '--hosting-context hosting --yes';
const its1 = '--its its1 --yes';
const shop =
  /^(wds1 \S+ shop|its1 manifestworks\S+ c\d\/shop-wds1-1|c1 \S+ (\w+-shop-wds1-1|default\/wds1-shop))$/;
const wds1 =
  /^(hosting \S+ wds1\S*|wds1 .*|its1 manifestworks\S+ c\d\/\w+-wds1-1|c1 \S+ (\w+-wds1-1|\w+-\w+-wds1-1|default\/wds1-\w+)|kubeconfig contexts wds1)$/;
const its = (name: string) =>
  new RegExp(`^(hosting \\S+ ${name}\\S*|${name} .*|kubeconfig contexts ${name})$`);
const onHub = String.raw`its1 \S+ (c1|c1\/(?!bystander).*|customization-properties\/c1|request-c1)|c1 \S+ (\w+-\w+-wds1-1|default\/wds1-\w+)`;
const c1 = new RegExp(`^(${onHub})$`);
const klusterlet = String.raw`c1 \S+ (klusterlet|stellarctl:work-agent|open-cluster-management(?!\S*bystander)\S*|klusterlets\S*|clusterclaims\S*|\w+-\w+-wds1-1|default\/wds1-\w+)`;
const both = new RegExp(`^(${onHub}|${klusterlet})$`);
const c1Only = new RegExp(`^(${klusterlet})$`);
const c5 = /^its1 \S+ (c5|c5\/managed-cluster-lease|customization-properties\/c5|request-c5)$/;

const policyFile = path.join(home, 'policy.yaml');
const policyOf = (object: string) => ({
  ...{
    apiVersion: 'control.kubestellar.io/v1alpha1',
    kind: 'BindingPolicy',
    metadata: { name: 'shop' },
  },
  spec: {
    clusterSelectors: [{ matchLabels: { env: 'edge' } }],
    downsync: [{ apiGroup: 'example.com', resources: ['widgets'], objectNames: [object] }],
  },
});
writeFileSync(policyFile, JSON.stringify(policyOf('none')));
const fleetFile = path.join(home, 'fleet.yaml');
const prod = {
  ...{
    apiVersion: 'stellarctl.kubestellar.io/v1alpha1',
    kind: 'Fleet',
    metadata: { name: 'prod' },
  },
  wecs: [{ name: 'c3' }, { name: 'c5' }],
};
writeFileSync(fleetFile, JSON.stringify(prod));
const cluster1 = 'its1 managedclusters.cluster.open-cluster-management.io c1';
const inFleet = () =>
  Object.assign(find(cluster1).object.metadata, {
    annotations: { 'stellarctl.kubestellar.io/fleet': 'prod' },
  });
/** The policy selects what its Binding names. */
const selectsAll = () =>
  Object.assign(find('wds1 bindingpolicies.control.kubestellar.io shop').object, {
    spec: policyOf('wds1-shop').spec,
  });
const guarded = () => {
  const server = deployment('kube-apiserver');
  const status = { ...server.status, observedGeneration: 1 };
  world.put('hosting', kinds.deployments, {
    ...{ ...server, status },
    metadata: { ...server.metadata, namespace: 'wds1-system' },
  });
  for (const kind of [kinds.admissionPolicies, kinds.admissionPolicyBindings]) {
    const name = `${kind.plural}.admissionregistration.k8s.io`;
    world.put('wds1', kinds.customResourceDefinitions, { metadata: { name } });
    world.put('wds1', kind, { metadata: { name: 'stellarctl-keep-workloads' }, spec: {} });
  }
};

/** The commands, each with what it names; undefined if it has to refuse as well when all is healthy. */
const rows: [line: string, may: RegExp | undefined, alter?: () => unknown][] = [
  [`policy delete shop --wds wds1 ${hosted}`, shop],
  [`policy delete shop --wds wds1 ${hosted} --keep-workloads`, shop],
  [`wds delete wds1 ${hosted}`, undefined],
  [`wds delete wds1 ${hosted} --max-removed 2`, wds1],
  [`wds delete wds1 ${hosted} --keep-workloads`, wds1],
  [`wds delete wds1 ${hosted} --force --max-removed 2`, wds1],
  [`wds delete wds1 ${hosted} --force --keep-workloads`, wds1],
  [`its delete its1 ${hosted}`, undefined],
  [`its delete its2 ${hosted}`, undefined],
  [`its delete its2 ${hosted} --force`, its('its2')],
  [`its delete its3 ${hosted}`, its('its3')],
  [`deregister c1 ${its1}`, c1],
  [`deregister c5 ${its1}`, c5],
  [`deregister c1 ${its1} --keep-workloads`, c1],
  [`deregister c1=c1 ${its1} --cleanup`, both],
  [`deregister c1=c1 ${its1} --cleanup --keep-workloads`, both],
  [`deregister c1 ${its1} --force`, c1, noAgents],
  [`deregister c1=c1 ${its1} --force --keep-workloads`, c1, noAgents],
  [`deregister c1=c1 ${its1} --force --cleanup`, both, noAgents],
  [`deregister c1=c1 ${its1} --force --cleanup --keep-workloads`, both, noAgents],
  ['deregister --local c1=c1 --yes', c1Only],
  ['deregister --local c1=c1 --yes', c1Only, noAgents],
  [`wec delete c1 ${its1}`, undefined],
  [`wec delete c9 ${its1}`, /^(machine c9|kubeconfig \w+ kind-c9)$/],
  [
    `wec revoke c1=c1 ${its1} --rule gears.example.com`,
    /^c1 clusterroles\S+ stellarctl:work-agent$/,
  ],
  [`wec revoke c1=c1 ${its1}`, /^c1 clusterroles\S+ stellarctl:work-agent$/],
  [`label c1 env- ${its1}`, /^its1 managedclusters\S+ c1$/],
  // Without --yes: policies select the WEC by it.
  ['label c1 env- --its its1', undefined],
  [`policy apply -f ${policyFile} --wds wds1 --hosting-context hosting`, undefined],
  [`policy apply -f ${policyFile} --wds wds1 ${hosted}`, undefined],
  [
    `policy apply -f ${policyFile} --wds wds1 ${hosted} --max-removed 2`,
    /^wds1 bindingpolicies\S+ shop$/,
  ],
  [`policy prune shop --wds wds1 ${hosted}`, undefined],
  [`policy prune shop --wds wds1 ${hosted} --max-removed 2`, shop],
  [`policy prune shop --wds wds1 ${hosted} --max-removed 2`, undefined, selectsAll],
  [`fleet apply -f ${fleetFile} --prune ${its1}`, c1, inFleet],
  [`wds unguard wds1 --hosting-context hosting`, undefined, guarded],
  [`wds unguard wds1 ${hosted}`, /^wds1 validating\S+ stellarctl-keep-workloads$/, guarded],
];

const onIts2 =
  /^(its2 \S+ (c1|c1\/(?!bystander).*|customization-properties\/c1|request-c1)|c2 \S+ (\w+-shop-wds1-1|default\/alien-shop))$/;
const ofHosting2 =
  /^(hosting2 \S+ wds1\S*|alien .*|its2 manifestworks\S+ c1\/shop-wds1-1|c2 \S+ (\w+-shop-wds1-1|default\/alien-shop))$/;
const operator = 'open-cluster-management';
const inAgent = { metadata: { name: 'bystander', namespace: `${operator}-agent` } };
const bothWithoutAgents = new RegExp(`(?!c1 namespaces ${operator}-agent$)${both.source}`);
const bothWithoutOperator = new RegExp(
  `(?!c1 (?:deployments|clusterrole|customres)\\S+ (?!stellarctl))${both.source}`,
);
const unlabel = (id: string) => Object.assign(find(id).object.metadata, { labels: {} });
const noSpace = (name: string) =>
  Object.assign(unlabel(`${planes} ${name}`) && find(`${planes} ${name}`).object, { spec: {} });
const disown = (name: string) => {
  world.held.delete(`wds1 bindingpolicies.control.kubestellar.io ${name}`);
  Object.assign(
    find(`wds1 bindings.control.kubestellar.io ${name}`).object.metadata.ownerReferences?.[0] ?? {},
    { kind: 'Other', uid: 'other' },
  );
};
const registerC9 = () => {
  for (const { resource, object } of world.in('c2')) world.put('c9', resource, object);
};
const planes = 'hosting controlplanes.tenancy.kflex.kubestellar.org';

/** Another ITS, WDS, cluster or owner than that of the rows, and what may be gone then. */
const others: Record<string, typeof rows> = {
  'another ITS': [
    [`policy delete shop --wds wds1 --its its2 ${hosted}`, undefined],
    [`policy delete shop --wds wds1 --its its2 ${hosted} --keep-workloads`, undefined],
    ['deregister c1 --its its2 --yes', onIts2],
    ...['', ' --keep-workloads', ' --force', ' --force --keep-workloads'].map(
      (options): (typeof rows)[number] => [
        `deregister c1=c1 --its its2 --yes --cleanup${options}`,
        undefined,
      ],
    ),
    ['wec revoke c1=c1 --its its2 --yes', undefined],
    ['wec delete c1 --its its2 --yes', undefined],
    ['label c1 env- --its its2 --yes', onIts2],
    ['label c5 env- --its its2 --yes', undefined],
  ],
  'another WDS': [
    [
      `policy delete shop --wds wds2 ${hosted}`,
      /^(wds2 \S+ shop|its1 manifestworks\S+ c3\/shop-wds2-1)$/,
    ],
    [`policy delete shop --wds alien --its its1 ${hosted}`, undefined],
    [`policy delete shop --wds alien ${hosted}`, undefined],
    [
      `wds delete wds2 ${hosted}`,
      /^(hosting \S+ wds2\S*|wds2 .*|its1 manifestworks\S+ c3\/shop-wds2-1|kubeconfig contexts wds2)$/,
    ],
    [`wds delete its3 ${hosted}`, undefined],
    [`its delete wds1 ${hosted}`, undefined],
    [`its delete wds1 ${hosted} --force`, undefined],
  ],
  'the context of another cluster': [
    ...['c2', 'c9', 'its1', 'hosting', 'wds1'].flatMap((context) =>
      ['', ' --keep-workloads', ' --force', ' --force --keep-workloads'].map(
        (options): (typeof rows)[number] => [
          `deregister c1=${context} ${its1} --cleanup${options}`,
          undefined,
        ],
      ),
    ),
    ...['c2', 'c9', 'its1'].map((context): (typeof rows)[number] => [
      `wec revoke c1=${context} ${its1}`,
      undefined,
    ]),
    ...['its1', 'hosting'].map((context): (typeof rows)[number] => [
      `deregister --local c1=${context} --yes`,
      undefined,
    ]),
    ['deregister --local c9=c1 --yes', undefined],
    ['deregister c1 --its c2 --yes', undefined],
    ['label c1 env- --its wds1 --yes', undefined],
    [`policy delete shop --wds c1 --its its1 ${hosted}`, undefined],
    ['policy delete shop --wds wds1 --hosting-context its1 --yes', undefined],
    ['wds delete wds1 --hosting-context its1 --yes', undefined],
    ['its delete its3 --hosting-context its1 --yes', undefined],
    ['wds delete wds1 --hosting-context hosting2 --yes', ofHosting2],
    ['wds delete wds1 --hosting-context hosting2 --yes --keep-workloads', ofHosting2],
  ],
  'an object of another owner': [
    [`wds delete wds1 ${hosted} --force`, undefined, () => noSpace('wds1')],
    [`its delete its3 ${hosted} --force`, undefined, () => noSpace('its3')],
    // Its policy is deleted, and another owner has its Binding.
    [`policy delete shop --wds wds1 ${hosted}`, undefined, () => disown('shop')],
    [`policy delete shop --wds wds1 ${hosted} --keep-workloads`, undefined, () => disown('shop')],
    [
      `deregister c1 ${its1}`,
      new RegExp(`(?!its1 namespaces c1$)${c1.source}`),
      () => unlabel('its1 namespaces c1'),
    ],
    [
      `deregister c1=c1 ${its1} --cleanup`,
      bothWithoutOperator,
      () => unlabel(`c1 deployments.apps ${operator}/klusterlet`),
    ],
    [
      `deregister c1=c1 ${its1} --cleanup`,
      undefined,
      () => world.put('c1', kinds.secrets, inAgent),
    ],
    ['deregister --local c1=c1 --yes', undefined, () => world.put('c1', kinds.secrets, inAgent)],
    [
      `deregister c1=c1 ${its1} --force --cleanup`,
      bothWithoutAgents,
      () => [noAgents(), world.put('c1', kinds.secrets, inAgent)],
    ],
    [
      `wec revoke c1=c1 ${its1}`,
      undefined,
      () => unlabel('c1 clusterroles.rbac.authorization.k8s.io stellarctl:work-agent'),
    ],
    [`wec delete c9 ${its1}`, undefined, registerC9],
  ],
};

let cells = 0;
/** The kinds of clusters whose lists were cut off. */
const cutOff = new Set<string>();
const tests: [name: string, failures: string[]][] = [];

/** Runs a cell. Before the first test is defined: node:test follows every promise, which takes as long as the cells themselves. */
async function cell(failures: string[], work: () => Promise<void>): Promise<void> {
  cells += 1;
  await work().catch((error: Error) => failures.push(error.message));
}

/** Runs a command with each fault of each kind that it has read while all was healthy. */
async function failReads(
  failures: string[],
  healthy: Outcome,
  [line, may, alter]: (typeof rows)[number],
): Promise<void> {
  const done = new Set([...healthy.removed, ...healthy.changed]);
  for (const [name, { kind, isListed, isEarly }] of healthy.read)
    for (const [what, fault] of Object.entries(faults))
      if (
        isListed
          ? what !== 'cut off' || !cutOff.has(name)
          : /403|503/.test(what) || (what === '404' && !isBuiltIn(kind))
      )
        await cell(failures, async () => {
          if (what === 'cut off') cutOff.add(name);
          const seen = await run(line, alter, (asked, answer) =>
            kindOf(asked) === name ? fault(asked, answer) : undefined,
          );
          const command = `${line}    # ${name}: ${what}`;
          check(command, seen, may);
          const all = [...seen.removed, ...seen.changed];
          if (seen.exitCode !== 0 && isEarly)
            assert.deepEqual(all, [], `refused halfway: ${command}\n${seen.says}`);
          const kept = [...done].filter((id) => !all.includes(id));
          if (seen.exitCode === 0 && kept.length > 0)
            assert.match(seen.says, /stays? /, `${command} keeps ${kept}`);
        });
}

for (const row of rows) {
  const [line, may, alter] = row;
  const [failures, before] = [[] as string[], cells];
  const healthy = await run(line, alter);
  await cell(failures, async () => {
    check(line, healthy, may);
    if (may !== undefined) assert.equal(healthy.exitCode, 0, healthy.says);
    if (may !== undefined)
      assert.notEqual(healthy.removed.length + healthy.changed.length, 0, healthy.says);
  });
  await failReads(failures, healthy, row);
  tests.push([`${line}${alter ? `, ${alter.name}` : ''}: ${cells - before} cells`, failures]);
}
for (const [what, list] of Object.entries(others)) {
  const failures: string[] = [];
  for (const [line, may, alter] of list)
    await cell(failures, async () => check(line, await run(line, alter), may));
  tests.push([`with ${what}: ${list.length} cells`, failures]);
}

describe(`a command that destroys refuses, or removes exactly what it names, in ${cells} cells`, () => {
  for (const [name, failures] of tests) it(name, () => assert.equal(failures.join('\n'), ''));
  it('which are many', () => assert.ok(cells >= 800));
});
after(() => rmSync(home, { recursive: true }));
