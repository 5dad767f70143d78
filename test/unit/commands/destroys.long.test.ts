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
import '../support/environment.ts';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { resources as kinds } from '../../../src/lib/kube/client/objects.ts';
import {
  both,
  c1,
  check,
  find,
  home,
  hosted,
  isList,
  its1,
  noAgents,
  type Outcome,
  rows,
  run,
  world,
} from '../support/destroy-runs.ts';
import { type Fault, failing, isBuiltIn, kindOf } from '../support/fake-clusters.ts';

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

const refused = (...lines: string[]): typeof rows => lines.map((line) => [line, undefined]);
const cleanups = ['', ' --keep-workloads', ' --force', ' --force --keep-workloads'];

/** Another ITS, WDS, cluster or owner than that of the rows, and what may be gone then. */
const others: Record<string, typeof rows> = {
  'another ITS': [
    ['deregister c1 --its its2 --yes', onIts2],
    ['label c1 env- --its its2 --yes', onIts2],
    ...refused(
      `policy delete shop --wds wds1 --its its2 ${hosted}`,
      `policy delete shop --wds wds1 --its its2 ${hosted} --keep-workloads`,
      ...cleanups.map((options) => `deregister c1=c1 --its its2 --yes --cleanup${options}`),
      'wec revoke c1=c1 --its its2 --yes',
      'wec delete c1 --its its2 --yes',
      'label c5 env- --its its2 --yes',
    ),
  ],
  'another WDS': [
    [
      `policy delete shop --wds wds2 ${hosted}`,
      /^(wds2 \S+ shop|its1 manifestworks\S+ c3\/shop-wds2-1)$/,
    ],
    [
      `wds delete wds2 ${hosted}`,
      /^(hosting \S+ wds2\S*|wds2 .*|its1 manifestworks\S+ c3\/shop-wds2-1|kubeconfig contexts wds2)$/,
    ],
    ...refused(
      `policy delete shop --wds alien --its its1 ${hosted}`,
      `policy delete shop --wds alien ${hosted}`,
      `wds delete its3 ${hosted}`,
      `its delete wds1 ${hosted}`,
      `its delete wds1 ${hosted} --force`,
    ),
  ],
  'the context of another cluster': [
    ['wds delete wds1 --hosting-context hosting2 --yes', ofHosting2],
    ['wds delete wds1 --hosting-context hosting2 --yes --keep-workloads', ofHosting2],
    ...refused(
      ...['c2', 'c9', 'its1', 'hosting', 'wds1'].flatMap((context) =>
        cleanups.map((options) => `deregister c1=${context} ${its1} --cleanup${options}`),
      ),
      ...['c2', 'c9', 'its1'].map((context) => `wec revoke c1=${context} ${its1}`),
      ...['its1', 'hosting'].map((context) => `deregister --local c1=${context} --yes`),
      'deregister --local c9=c1 --yes',
      'deregister c1 --its c2 --yes',
      'label c1 env- --its wds1 --yes',
      `policy delete shop --wds c1 --its its1 ${hosted}`,
      'policy delete shop --wds wds1 --hosting-context its1 --yes',
      'wds delete wds1 --hosting-context its1 --yes',
      'its delete its3 --hosting-context its1 --yes',
    ),
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
async function cell(failures: string[], work: () => Promise<void>) {
  cells += 1;
  await work().catch((error: Error) => failures.push(error.message));
}

/** Runs a command with each fault of each kind that it has read while all was healthy. */
async function failReads(
  failures: string[],
  healthy: Outcome,
  [line, may, alter]: (typeof rows)[number],
) {
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
          check(command, seen, may, healthy);
          if (seen.exitCode !== 0 && isEarly)
            assert.deepEqual(
              [...seen.removed, ...seen.changed],
              [],
              `refused halfway: ${command}\n${seen.says}`,
            );
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
