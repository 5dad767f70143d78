/**
 * npm run test:release -- faults: one fault in each GET that a command sends which destroys, revokes or waits, on clusters in memory
 * (destroy-world.ts). It never writes what it does not name, and exits with 0 only if what it says is true: all that it changes when
 * everything is healthy is changed. Its results say truly whether anything was written. Each command also runs without a fault, and does write then.
 *
 * Left out: a list that is empty with status 200 although there are objects, because nothing distinguishes it from a true one.
 */
import '../support/environment.ts';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { resources as kinds, type Resource } from '../../../src/lib/kube/client/objects.ts';
import {
  applyMoved,
  check,
  find,
  home,
  hosted,
  isList,
  moved,
  type Outcome,
  pass,
  rows,
  run,
  world,
} from '../support/destroy-runs.ts';
import { type Asked, type Fault, failing, kindOf } from '../support/fake-clusters.ts';

const textOf = (body: unknown) => JSON.stringify(body);
/** Each answers one GET. @param count how often it was sent, from 1 */
const faults: Record<
  string,
  (asked: Asked, healthy: () => object, count: number) => ReturnType<Fault>
> = {
  '404 for ever': () => failing(404),
  '404 once': (_, __, count) => (count === 1 ? failing(404) : undefined),
  403: () => failing(403),
  503: () => failing(503),
  'an empty answer': () => ({ body: '' }),
  '{}': () => ({ body: {} }),
  'another name': (asked, healthy) =>
    isList(asked)
      ? undefined
      : { body: { ...healthy(), metadata: { name: 'other', uid: 'other' } } },
  'another kind': (asked, healthy) => ({
    body: isList(asked)
      ? { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', items: [] }
      : { ...healthy(), kind: 'Other', apiVersion: 'example.com/v1' },
  }),
  'pages without end': (asked, healthy) => {
    pass(20_000);
    return isList(asked) ? { body: { ...healthy(), metadata: { continue: 'more' } } } : undefined;
  },
  'cut off': (_, healthy) => ({ body: textOf(healthy()).slice(0, -3) }),
};

const keyOf = ({ namespace, name, query, ...asked }: Asked) =>
  `${kindOf(asked)} ${[namespace, name].filter(Boolean).join('/')} ${query.labelSelector ?? ''}`;

/** Runs a command and notes its GETs. */
async function noting(line: string, alter?: () => unknown, fault?: Fault) {
  const asked = new Map<string, number>();
  const outcome = await run(line, alter, (request, healthy) => {
    if (request.method !== 'GET') return undefined;
    const key = keyOf(request);
    asked.set(key, (asked.get(key) ?? 0) + 1);
    return fault?.(request, healthy);
  });
  return { outcome, asked: [...asked.keys()] };
}

const define = (cluster: string, resource: Resource, name: string) => {
  const [group] = resource.apiVersion.split('/');
  world.put(cluster, kinds.customResourceDefinitions, {
    metadata: { name: `${resource.plural}.${group}` },
  });
  world.put(cluster, resource, { metadata: { name }, spec: {} });
};
const notApplied = () => {
  const work = find('its1 manifestworks.work.open-cluster-management.io c1/shop-wds1-1').object;
  Object.assign(work, { status: { conditions: [] } });
};
const wec = 'c1 --its its1';
const inWds = '--wds wds1 --hosting-context hosting';
const further: typeof rows = [
  [
    `collector delete any ${inWds}`,
    /^wds1 statuscollectors\S+ any$/,
    () => define('wds1', kinds.statusCollectors, 'any'),
  ],
  [
    `transform delete any ${inWds}`,
    /^wds1 customtransforms\S+ any$/,
    () => define('wds1', kinds.customTransforms, 'any'),
  ],
  [
    `access revoke its1-anna-viewer ${hosted}`,
    /^its1 (clusterrole|serviceaccount|role)\S+ .*its1-anna-viewer$/,
    () => {
      const labels = {
        'app.kubernetes.io/managed-by': 'stellarctl',
        'stellarctl.kubestellar.io/access-role': 'viewer',
      };
      const name = 'stellarctl:its1-anna-viewer';
      world.put('its1', kinds.serviceAccounts, {
        metadata: { name: 'its1-anna-viewer', namespace: 'kube-system', labels },
      });
      for (const kind of [kinds.clusterRoles, kinds.clusterRoleBindings])
        world.put('its1', kind, { metadata: { name, labels } });
    },
  ],
  [
    `access revoke wds1-argocd-deployer ${hosted}`,
    /^(wds1 (clusterrole|serviceaccount)\S+ .*|hosting secrets argocd\/)wds1-argocd-deployer$/,
    () => {
      const labels = {
        'app.kubernetes.io/managed-by': 'stellarctl',
        'stellarctl.kubestellar.io/access-role': 'deployer',
      };
      const name = 'stellarctl:wds1-argocd-deployer';
      world.put('wds1', kinds.serviceAccounts, {
        metadata: { name: 'wds1-argocd-deployer', namespace: 'kube-system', labels },
      });
      for (const kind of [kinds.clusterRoles, kinds.clusterRoleBindings])
        world.put('wds1', kind, { metadata: { name, labels } });
      world.put('hosting', kinds.secrets, {
        metadata: {
          name: 'wds1-argocd-deployer',
          namespace: 'argocd',
          labels: { ...labels, 'argocd.argoproj.io/secret-type': 'cluster' },
        },
        data: { name: Buffer.from('wds1').toString('base64') },
      });
    },
  ],
  [applyMoved, /^c1 klusterlets\S+ klusterlet$/, moved(true)],
];
/** Commands that wait: whether what they wait for is true, and will not be. */
const waits: [line: string, isTrue: boolean, alter?: () => unknown][] = [
  [`wec wait ${wec} --for delete --timeout 5s`, false],
  ['wec wait nowhere --its its1 --for delete --timeout 5s', true],
  [`wec wait ${wec} --for available --timeout 5s`, true],
  [`policy wait shop ${inWds} --for gone --timeout 5s`, false],
  [`policy wait nothing ${inWds} --for gone --timeout 5s`, true],
  [`policy wait shop ${inWds} --for applied --timeout 5s`, false, notApplied],
  [`${applyMoved} --timeout 5s`, false, moved(false)],
];

/** Each answers one write: refused, or stored and its answer lost. @param count how often it was sent, from 1 */
const writeFaults: Record<string, (store: () => unknown, count: number) => ReturnType<Fault>> = {
  403: () => failing(403),
  '409 once': (_, count) => (count === 1 ? failing(409) : undefined),
  '409 for ever': () => failing(409),
  503: () => failing(503),
  'stored, 500': (store) => {
    store();
    return failing(500);
  },
  'stored once, 504': (store, count) => {
    if (count > 1) return undefined;
    store();
    return failing(504);
  },
};
/** What a rerun does not do again: the Lease of this process stays, and a label that may not be removed keeps a mailbox. */
const keptByRerun = /leases|PATCH its1 namespaces/;

const writeKeyOf = ({ method, namespace, name, ...asked }: Asked) =>
  `${method} ${kindOf(asked)} ${[namespace, name].filter(Boolean).join('/')}`;

/** What all clusters hold, but for what counts writes. */
const heldNow = () =>
  [...world.held].map(([id, { object }]) => {
    const { metadata, status, ...rest } = object;
    const { generation, resourceVersion, ...stays } = metadata;
    return [id, rest, stays];
  });

/** Fails each write of a command, and then runs it again: the end is the same as without a fault. */
async function failEachWrite(line: string, may: RegExp, alter?: () => unknown) {
  const failures: string[] = [];
  const asked = new Set<string>();
  const healthy = await run(line, alter, (request) => {
    if (request.method !== 'GET') asked.add(writeKeyOf(request));
    return undefined;
  });
  const end = heldNow();
  for (const key of asked)
    for (const [what, fault] of Object.entries(writeFaults)) {
      let count = 0;
      const outcome = await run(line, alter, (request, store) => {
        if (writeKeyOf(request) !== key) return undefined;
        count += 1;
        return fault(store, count);
      });
      const held = [...world.held].map(
        ([id, each]): typeof each extends infer T ? [string, T] : never => [
          id,
          { ...each, object: structuredClone(each.object) },
        ],
      );
      const again = await run(line, () => {
        world.held = new Map(held);
      });
      runs += 2;
      const told = `${line}    # ${key}: ${what}`;
      try {
        if (!key.includes('leases')) check(told, outcome, may, healthy);
        if (/To finish it: stellarctl deregister/.test(outcome.says)) continue;
        if (keptByRerun.test(key)) continue;
        assert.deepEqual(
          [again.exitCode, heldNow()],
          [0, end],
          `rerun: ${told}\n${outcome.says}${again.says}`,
        );
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  return failures;
}

let runs = 0;
const counts = { 0: 0, other: 0 };
const tests: [name: string, failures: string[]][] = [];

/** Runs a command with each fault in each of its GETs. Before the first test is defined: node:test follows every promise. */
async function failEach(
  line: string,
  alter: (() => unknown) | undefined,
  judge: (outcome: Outcome, command: string) => void,
) {
  const failures: string[] = [];
  const { asked } = await noting(line, alter);
  for (const key of asked)
    for (const [what, fault] of Object.entries(faults)) {
      let count = 0;
      const { outcome } = await noting(line, alter, (request, healthy) => {
        if (keyOf(request) !== key) return undefined;
        count += 1;
        return fault(request, () => (healthy().body ?? {}) as object, count);
      });
      runs += 1;
      counts[outcome.exitCode === 0 ? 0 : 'other'] += 1;
      try {
        judge(outcome, `${line}    # ${key}: ${what}`);
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  return failures;
}

for (const [words, may, alter] of [...rows, ...further]) {
  const line = `${words} -o json`;
  const { outcome: healthy } = await noting(line, alter);
  const failures = await failEach(line, alter, (seen, command) =>
    check(command, seen, may, healthy),
  );
  const isIdle = healthy.removed.length + healthy.changed.length === 0;
  if (may !== undefined && (healthy.exitCode !== 0 || isIdle))
    failures.push(`does not write without a fault: ${line}\n${healthy.says}`);
  tests.push([line, failures]);
  if (may !== undefined && !further.some(([each]) => each === words))
    tests.push([`${line}: writes`, await failEachWrite(line, may, alter)]);
}
for (const [line, isTrue, alter] of waits) {
  const { outcome: healthy } = await noting(line, alter);
  const failures = await failEach(line, alter, (seen, command) => {
    check(command, seen, /(?!)/);
    const saysSo = line.startsWith(applyMoved) && seen.says.includes('stays held');
    if (!isTrue && !saysSo) assert.notEqual(seen.exitCode, 0, `exit 0: ${command}\n${seen.says}`);
  });
  if ((healthy.exitCode === 0) !== isTrue)
    failures.push(`without a fault: ${line}\n${healthy.says}`);
  tests.push([line, failures]);
}

describe(`${runs} runs with a fault in one request: ${counts[0]} exit with 0, ${counts.other} with an error`, () => {
  for (const [name, failures] of tests) it(name, () => assert.equal(failures.join('\n'), ''));
  it('which are many', () => assert.ok(runs >= 5000));
});
after(() => rmSync(home, { recursive: true }));
