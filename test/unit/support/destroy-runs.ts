/** Whole commands that destroy, in this process, on clusters in memory (destroy-world.ts): what they read, remove and change. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import timers from 'node:timers/promises';
import { parse } from 'yaml';
import { resources as kinds, type Resource } from '../../../src/lib/kube/client/objects.ts';
import type { AppliedManifestWork } from '../../../src/lib/workloads/delivery/applied-works.ts';
import { destroyWorld } from './destroy-world.ts';
import { type Asked, type Fault, type Held, kindOf } from './fake-clusters.ts';
import { runHere } from './program.ts';
import { deployment } from './space-builders.ts';

export const world = await destroyWorld();
const start = [...world.held];

// Pauses end at once, and the monotonic clock shows that they have passed.
const uptime = process.uptime.bind(process);
let slept = 0;
process.uptime = () => uptime() + slept / 1000;
timers.setTimeout = (async (ms = 0) => {
  slept += ms;
  await timers.setImmediate();
}) as typeof timers.setTimeout;
syncBuiltinESMExports();
/** Time passes for this process. */
export const pass = (ms: number) => {
  slept += ms;
};

/** The machine: kind with the clusters c1 and c9, and a kubeconfig. */
export const home = mkdtempSync(path.join(tmpdir(), 'stellarctl-unit-'));
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

export interface Outcome {
  exitCode: unknown;
  says: string;
  /** What the results say in JSON, if it was asked for: whether anything was written for each. */
  claims: unknown[];
  /** Whether it has sent a write, which it may have undone. */
  hasWritten: boolean;
  /** The ids of what was removed, and of what was changed or added. */
  removed: string[];
  changed: string[];
  /** The kinds that it read, by name, each with whether it listed it, and whether it read it before its first write. */
  read: Map<string, { kind: Resource; isListed: boolean; isEarly: boolean }>;
}

export async function run(
  line: string,
  alter: () => unknown = () => {},
  fault?: Fault,
): Promise<Outcome> {
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
  const env = { PATH: `${home}/bin`, HOME: home, KUBECONFIG: kubeconfig };
  const hang = setTimeout(() => assert.fail(`does not end: ${line}`), 120_000);
  const { exitCode, stdout, stderr } = await runHere(argv, env);
  clearTimeout(hang);
  const now = state();
  const removed = [...before.keys()].filter((id) => !now.has(id));
  const changed = [...now].filter(([id, text]) => before.get(id) !== text).map(([id]) => id);
  const { items = [] } = stdout.startsWith('{')
    ? (JSON.parse(stdout) as { items?: { changed?: boolean }[] })
    : {};
  return {
    exitCode,
    says: stderr + stdout,
    claims: items.flatMap(({ changed: claim }) => claim ?? []),
    hasWritten,
    removed,
    changed,
    read,
  };
}

/**
 * The one check of every cell. A single result says truly whether anything was written, also where the command has failed half way.
 * @param may what the command names; undefined if it has to refuse
 * @param healthy what it does without a fault: where it exits with 0, it does all of that, or says what stays
 */
export function check(
  line: string,
  { exitCode, says, claims, hasWritten, removed, changed }: Outcome,
  may: RegExp | undefined,
  healthy?: Outcome,
): void {
  const all = [...removed, ...changed];
  const told = `\n$ stellarctl ${line}\n${says}exit ${exitCode}, removed or changed:\n  ${all.join('\n  ')}\n`;
  assert.doesNotMatch(says, /This is a bug/, told);
  assert.ok([0, 1, 2, 3, 4].includes(exitCode as number), told);
  const strange = all.filter((id) => !may?.test(id));
  assert.deepEqual(strange, [], `not named: ${told}`);
  if (may === undefined) assert.notEqual(exitCode, 0, `not refused: ${told}`);
  const [claim, ...others] = claims;
  if (claim !== undefined && others.length === 0)
    assert.ok(claim ? hasWritten || all.length > 0 : all.length === 0, `untrue "changed": ${told}`);
  const lost = removed.filter((id) => /^c\d widgets/.test(id));
  if (/--keep|--local/.test(line)) assert.deepEqual(lost, [], `workloads lost: ${told}`);
  if (healthy === undefined || exitCode !== 0) return;
  const kept = [...healthy.removed, ...healthy.changed].filter((id) => !all.includes(id));
  if (kept.length > 0) assert.match(says, /stays? /, `there is still ${kept}: ${told}`);
}

export const isList = ({ method, name }: Asked) => method === 'GET' && name === undefined;
export const find = (id: string): Held => world.held.get(id) as Held;
export const noAgents = () => {
  for (const pod of world.in('c1', kinds.pods)) world.remove(pod);
};
export const hosted = '--hosting-context hosting --yes';
export const its1 = '--its its1 --yes';
const shop =
  /^(wds1 \S+ shop|its1 manifestworks\S+ c\d\/shop-wds1-1|c1 \S+ (\w+-shop-wds1-1|default\/wds1-shop))$/;
const wds1 =
  /^(hosting \S+ wds1\S*|wds1 .*|its1 manifestworks\S+ c\d\/\w+-wds1-1|c1 \S+ (\w+-wds1-1|\w+-\w+-wds1-1|default\/wds1-\w+)|kubeconfig contexts wds1)$/;
const its = (name: string) =>
  new RegExp(`^(hosting \\S+ ${name}\\S*|${name} .*|kubeconfig contexts ${name})$`);
const onHub = String.raw`its1 \S+ (c1|c1\/(?!bystander).*|customization-properties\/c1|request-c1)|c1 \S+ (\w+-\w+-wds1-1|default\/wds1-\w+)`;
export const c1 = new RegExp(`^(${onHub})$`);
const klusterlet = String.raw`c1 \S+ (klusterlet|stellarctl:work-agent|open-cluster-management(?!\S*bystander)\S*|klusterlets\S*|clusterclaims\S*|\w+-\w+-wds1-1|default\/wds1-\w+)`;
export const both = new RegExp(`^(${onHub}|${klusterlet})$`);
const c1Only = new RegExp(`^(${klusterlet})$`);
const c5 = /^its1 \S+ (c5|c5\/managed-cluster-lease|customization-properties\/c5|request-c5)$/;

const policyFile = path.join(home, 'policy.yaml');
const policyOf = (object: string) => ({
  apiVersion: 'control.kubestellar.io/v1alpha1',
  kind: 'BindingPolicy',
  metadata: { name: 'shop' },
  spec: {
    clusterSelectors: [{ matchLabels: { env: 'edge' } }],
    downsync: [{ apiGroup: 'example.com', resources: ['widgets'], objectNames: [object] }],
  },
});
writeFileSync(policyFile, JSON.stringify(policyOf('none')));
const fleetFile = path.join(home, 'fleet.yaml');
const prod = {
  apiVersion: 'stellarctl.kubestellar.io/v1alpha1',
  kind: 'Fleet',
  metadata: { name: 'prod' },
  wecs: [{ name: 'c3' }, { name: 'c5' }],
};
writeFileSync(fleetFile, JSON.stringify(prod));
const cluster1 = 'its1 managedclusters.cluster.open-cluster-management.io c1';
const inFleet = () =>
  Object.assign(find(cluster1).object.metadata, {
    annotations: { 'stellarctl.kubestellar.io/fleet': 'prod' },
  });
const movedFile = path.join(home, 'moved.yaml');
writeFileSync(movedFile, JSON.stringify({ ...prod, wecs: [{ name: 'c1', context: 'c1' }] }));
/** The WEC c1 was moved, and holds what its former hub has sent. @param isSent whether a work of its1 has it by now */
export const moved = (isSent: boolean) => () => {
  inFleet();
  const { metadata, ...klusterlet } = find(
    'c1 klusterlets.operator.open-cluster-management.io klusterlet',
  ).object;
  const annotations = { 'stellarctl.kubestellar.io/former-eviction-grace-period': '' };
  const workConfiguration = { appliedManifestWorkEvictionGracePeriod: '876000h0m0s' };
  const spec = { ...(klusterlet.spec as object), workConfiguration };
  world.put('c1', kinds.klusterlets, {
    metadata: { ...metadata, annotations },
    ...klusterlet,
    spec,
  });
  for (const { object } of world.in('c1', kinds.appliedManifestWorks)) {
    const { spec: work, status } = object as AppliedManifestWork;
    if (work?.manifestWorkName !== 'w' && !isSent) continue;
    for (const each of status?.appliedResources ?? []) each.uid = 'bystander';
    if (work?.manifestWorkName === 'w') work.agentID = metadata.uid ?? '';
  }
};
export const applyMoved = `fleet apply -f ${movedFile} ${its1}`;
/** The policy selects what its Binding names. */
const selectsAll = () =>
  Object.assign(find('wds1 bindingpolicies.control.kubestellar.io shop').object, {
    spec: policyOf('wds1-shop').spec,
  });
const guarded = () => {
  const server = deployment('kube-apiserver');
  const status = { ...server.status, observedGeneration: 1 };
  world.put('hosting', kinds.deployments, {
    ...server,
    status,
    metadata: { ...server.metadata, namespace: 'wds1-system' },
  });
  for (const kind of [kinds.admissionPolicies, kinds.admissionPolicyBindings]) {
    const name = `${kind.plural}.admissionregistration.k8s.io`;
    world.put('wds1', kinds.customResourceDefinitions, { metadata: { name } });
    world.put('wds1', kind, { metadata: { name: 'stellarctl-keep-workloads' }, spec: {} });
  }
};

/** The commands, each with what it names; undefined if it has to refuse as well when all is healthy. */
export const rows: [line: string, may: RegExp | undefined, alter?: () => unknown][] = [
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
    `policy apply -f ${policyFile} --wds wds1 ${hosted} --max-removed 2 --allow-errors`,
    /^wds1 bindingpolicies\S+ shop$/,
  ],
  [`policy prune shop --wds wds1 ${hosted}`, undefined],
  [`policy prune shop --wds wds1 ${hosted} --max-removed 2`, shop],
  [`policy prune shop --wds wds1 ${hosted} --max-removed 2`, undefined, selectsAll],
  [`fleet apply -f ${fleetFile} --prune ${its1}`, c1, inFleet],
  [`wds unguard wds1 --hosting-context hosting`, undefined, guarded],
  [`wds unguard wds1 ${hosted}`, undefined, guarded],
  [
    `wds unguard wds1 ${hosted} --max-removed 3`,
    /^wds1 validating\S+ stellarctl-keep-workloads$/,
    guarded,
  ],
];
