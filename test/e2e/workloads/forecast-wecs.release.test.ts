/**
 * What is forecast happens on WECs: made-up changes of labels, properties and policies, of which each object that is gone or new on two
 * WECs, by its UID, is compared with the rows of the dry run. TEST_SEED makes up others, TEST_CHANGES another number of them.
 */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AnyObject,
  type ManifestWork,
  type Plane,
  resources,
  until,
} from '../../../testbed/index.ts';
import { randomOf, type Tried } from '../support/forecast-changes.ts';
import { startWds, type WdsBed } from '../support/wds-bed.ts';

const seed = Number(process.env.TEST_SEED ?? 1);
const count = Number(process.env.TEST_CHANGES ?? 40);

/** The effects that such changes have on WECs: each happens in a whole run with the first seed. */
const effects = ['added', 'removed', 'kept', 'recreated', 'stale'];

/** A row of a dry run, as far as it is compared. */
interface Row {
  effect: string;
  wec: string | null;
  object: { kind: string; namespace: string | null; name: string } | null;
  why: string;
}

/** The UIDs of objects on WECs: by `w1 ConfigMap shop/a`. */
type Uids = ReadonlyMap<string, string>;

const wecs = ['w1', 'w2'];
/** Somebody else has created these on the WECs; lead is sent. */
const present = ['shop', 'pay', 'probes'];
const sentSpace = 'lead';
const its = ['--its', 'its1'];
const at = ['--wds', 'wds1', ...its];

let all: WdsBed;
let wds1: Plane;
let probe = 0;

const configMap = (key: string, app: string, more: { beside?: string; region?: string } = {}) => {
  const [namespace, name = ''] = key.split('/');
  const { region, beside } = more;
  const annotations = region ? { 'control.kubestellar.io/expand-templates': 'true' } : {};
  const labels = { app, ...(beside && { beside }) };
  const metadata = { namespace, name, labels, annotations };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { of: region ?? key } };
};

/** Namesakes: shop/conf and pay/conf. */
const objects = [
  ...['shop/a', 'shop/b', 'shop/conf'].map((key) => configMap(key, 'shop')),
  ...['pay/p', 'pay/conf'].map((key) => configMap(key, 'pay')),
  configMap('pay/r', 'pay', { region: '{{.region}}' }),
  configMap('lead/l1', 'lead'),
  configMap('lead/l2', 'lead', { beside: 'yes' }),
] as AnyObject[];

const clusterTerms = {
  'tier=web': { matchLabels: { tier: 'web' } },
  'tier=db': { matchLabels: { tier: 'db' } },
  'env=prod': { matchLabels: { env: 'prod' } },
  '!quarantine': { matchExpressions: [{ key: 'quarantine', operator: 'DoesNotExist' }] },
};
type Term = keyof typeof clusterTerms;

const specOf = (term: Term, ...apps: string[]) => ({
  clusterSelectors: [clusterTerms[term]],
  downsync: [{ objectSelectors: apps.map((app) => ({ matchLabels: { app } })) }],
});

/** shop is sent by two, so that WECs move from one to the other, or have it of both. */
const initial: Readonly<Record<string, object>> = {
  p1: specOf('tier=web', 'shop'),
  p2: specOf('tier=db', 'shop', 'pay'),
  p3: specOf('!quarantine', 'pay'),
  p4: specOf('env=prod', 'lead'),
};
const initialLabels = [
  ['w1 tier', 'web'],
  ['w2 tier', 'web'],
  ['w1 env', 'prod'],
] as const;

/** They are never changed. What the second one sends goes with its Namespace, which it does not send. */
const fixed = { probes: { app: 'probes' }, beside: { beside: 'yes' } };

before(async () => {
  all = await startWds(wecs, { rate: 100 });
  ({ wds1 } = all);
  for (const name of present)
    for (const { admin } of [wds1, ...wecs.map((wec) => all.bed.plane(wec))])
      await admin.create(resources.namespaces, { metadata: { name } });
  const metadata = { name: sentSpace, labels: { app: sentSpace } };
  await wds1.admin.create(resources.namespaces, { metadata });
  for (const object of objects) await wds1.admin.create(resources.configMaps, object);
  await all.cli.succeed(['wec', 'properties', ...wecs, 'region=eu', ...its]);
  await all.cli.succeed(['label', ...wecs, 'probed=yes', ...its]);
  await all.cli.succeed(['label', 'w1', 'env=prod', ...its]);
  for (const [name, spec] of Object.entries(initial)) await create(name, spec);
  for (const [name, matchLabels] of Object.entries(fixed))
    await create(name, {
      clusterSelectors: [{ matchLabels: { probed: 'yes' } }],
      downsync: [{ objectSelectors: [{ matchLabels }] }],
    });
});

after(() => all?.stop());

const create = (name: string, spec: object) =>
  wds1.admin.create(resources.bindingPolicies, { metadata: { name }, spec } as AnyObject);

/** Makes up changes, and keeps what they lead to. */
class Changes {
  readonly #random = randomOf(seed);
  readonly #policies = new Map(Object.entries(initial));
  readonly #deleted: string[] = [];
  /** By WEC and key. */
  readonly #labels = new Map<string, string | null>(initialLabels);
  readonly #next: Tried[] = [];

  #one<T>(some: readonly T[]): T {
    return some[Math.floor(this.#random() * some.length)] as T;
  }

  next(): Tried {
    const undone = this.#next.shift();
    if (undone !== undefined) return undone;
    const kind = this.#random();
    const [again] = this.#deleted;
    if (again !== undefined && kind > 0.5) {
      this.#deleted.shift();
      return this.#applied(again);
    }
    if (kind < 0.5) return this.#label();
    if (kind < 0.65) return this.#property();
    return kind < 0.88 ? this.#applied(this.#one(this.#kept())) : this.#remove();
  }

  #kept = () => [...this.#policies.keys()].filter((name) => !this.#deleted.includes(name));

  /** A label that changes on at least one of the WECs. */
  #label(): Tried {
    const some = this.#one([['w1'], ['w2'], wecs]);
    const [key, ...values] = this.#one([
      ['tier', 'web', 'db', null],
      ['tier', 'web', 'db'],
      ['env', 'prod', null],
      ['quarantine', 'true', null],
    ] as const);
    const value = this.#one(values);
    const places = some.map((wec) => `${wec} ${key}`);
    if (places.every((place) => (this.#labels.get(place) ?? null) === value)) return this.#label();
    for (const place of places) this.#labels.set(place, value);
    const change = value === null ? `${key}-` : `${key}=${value}`;
    return { words: ['label', ...some, change, '--overwrite', ...its] };
  }

  #property(): Tried {
    const some = this.#one([['w1'], ['w2'], wecs]);
    const line = (change: string) => ({
      words: ['wec', 'properties', ...some, change, '--overwrite', ...its],
    });
    const given = line(`region=${this.#one(['eu', 'us', 'ap'])}`);
    if (this.#random() > 0.25) return given;
    this.#next.push({ ...given, isCure: true });
    return line('region-');
  }

  /** A policy with fewer objects or more, or for other WECs. */
  #applied(name: string): Tried {
    const apps = this.#one([['shop'], ['pay'], ['shop', 'pay'], ['lead'], ['lead', 'shop']]);
    const before = this.#policies.get(name);
    const spec = specOf(this.#one(Object.keys(clusterTerms) as Term[]), ...apps);
    const changed = this.#random() < 0.6 ? { ...before, downsync: spec.downsync } : spec;
    this.#policies.set(name, changed);
    const apiVersion = 'control.kubestellar.io/v1alpha1';
    const policy = { apiVersion, kind: 'BindingPolicy', metadata: { name }, spec: changed };
    const words = ['policy', 'apply', '-f', '-', '--allow-errors', ...at];
    return { words, input: JSON.stringify(policy) };
  }

  #remove(): Tried {
    const name = this.#one(this.#kept());
    this.#deleted.push(name);
    return { words: ['policy', 'delete', name, ...at] };
  }
}

/** Runs a command without doing anything, and returns what it foresees. */
async function foresee({ words, input = '' }: Tried): Promise<Row[]> {
  const run = await all.cli.run([...words, '--dry-run', '-o', 'json'], { input });
  assert.equal(run.exitCode, 0, `${words.join(' ')} ${input}\n${run.stdout}${run.stderr}`);
  return run.json().effects ?? [];
}

const act = ({ words, input = '' }: Tried) =>
  all.cli.succeed([...words, '--yes', '--max-removed', '99'], { input });

const keyOf = (
  wec: string | null,
  { kind, namespace, name }: { kind: string; namespace?: string | null; name: string },
) => `${wec} ${kind} ${namespace ? `${namespace}/` : ''}${name}`;

/** What is on both WECs in the Namespaces of this test, with the one that is sent. */
async function readWecs(): Promise<Uids> {
  const read = wecs.map(async (wec) => {
    const { admin } = all.bed.plane(wec);
    const lists = [...present, sentSpace].map((namespace) =>
      admin.list<AnyObject>(resources.configMaps, { namespace }),
    );
    const space = await admin.find<AnyObject>(resources.namespaces, sentSpace);
    const found = (await Promise.all(lists)).flatMap(({ items }) => items);
    return [
      ...(space ? [{ kind: 'Namespace', of: space }] : []),
      ...found.map((of) => ({ kind: 'ConfigMap', of })),
    ]
      .filter(({ of: { metadata } }) => metadata.deletionTimestamp === undefined)
      .filter(({ of: { metadata } }) => metadata.name !== 'kube-root-ca.crt')
      .map(({ kind, of: { metadata } }): [string, string] => [
        keyOf(wec, { ...metadata, kind }),
        metadata.uid ?? '',
      ]);
  });
  return new Map((await Promise.all(read)).flat());
}

const withoutProbes = (uids: Uids) =>
  new Map([...uids].filter(([key]) => !key.includes(' probes/')));

type Observed = AnyObject & { status?: { observedGeneration?: number } };

/** Whether KubeStellar has read what is in the WDS, and the agents have done what the mailboxes say. */
async function isFollowed(): Promise<boolean> {
  const lists = [resources.bindingPolicies, resources.bindings].map((kind) =>
    wds1.admin.list<Observed>(kind),
  );
  const read = (await Promise.all(lists)).flatMap(({ items }) => items);
  const { items: works } = await all.its1.admin.list<ManifestWork>(resources.manifestWorks);
  return (
    read.every(({ metadata, status }) => status?.observedGeneration === metadata.generation) &&
    works.every(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some(
          ({ type, observedGeneration }) =>
            type === 'Applied' && observedGeneration === metadata.generation,
        ),
    )
  );
}

/** Waits until a probe that is sent now is on both WECs, and nothing changes: what was changed before has had its effect. */
async function settle(): Promise<Uids> {
  probe += 1;
  const name = `probe-${probe}`;
  const metadata = { namespace: 'probes', name, labels: { app: 'probes' } };
  await wds1.admin.create(resources.configMaps, { metadata });
  if (probe > 1) await wds1.admin.delete(resources.configMaps, `probes/probe-${probe - 1}`);
  let last = '';
  let uids: Uids = new Map();
  await until(async () => {
    const isDone = await isFollowed();
    uids = await readWecs();
    const now = JSON.stringify([...uids].sort());
    const probes = [...uids.keys()].filter((key) => key.includes(' probes/'));
    const hasArrived = probes.length === wecs.length && probes.every((key) => key.endsWith(name));
    const isQuiet = isDone && hasArrived && now === last;
    last = now;
    if (!isQuiet) await sleep(600);
    return isQuiet;
  }, `${name} on both WECs, and nothing changes`);
  return withoutProbes(uids);
}

/** An object that goes with its Namespace comes again when its agent looks at its work again, which may take minutes. */
const goesWithSpace = ({ why }: Row) => why.startsWith('its Namespace ');

/**
 * Compares what was foreseen with what has happened.
 * @param awaited objects that went with their Namespace, although works have them: they may come again
 */
function differences(rows: readonly Row[], was: Uids, is: Uids, awaited: ReadonlySet<string>) {
  const byKey = Map.groupBy(rows, ({ wec, object }) =>
    keyOf(wec, object ?? { kind: '?', name: '?' }),
  );
  const keys = new Set([...was.keys(), ...is.keys(), ...byKey.keys()]);
  return [...keys].flatMap((key) => {
    const own = byKey.get(key) ?? [];
    const [before, now] = [was.get(key), is.get(key)];
    const has = (effect: string) => own.some((row) => row.effect === effect);
    const unclear = own.filter(({ effect }) => /^(unknown|crashes|taken-over)$/.test(effect));
    // What another policy sends as well may arrive before it is deleted: the agent then leaves it as it is.
    const isAsForeseen = has('recreated')
      ? now !== undefined || own.some(goesWithSpace)
      : has('removed')
        ? now === undefined || (own.some(goesWithSpace) && now !== before)
        : has('added')
          ? now !== undefined && (before === undefined || now === before)
          : now === before || (before === undefined && awaited.has(key));
    const foreseen = own.map(({ effect, why }) => `${effect}: ${why}`).join('; ') || 'no row';
    if (isAsForeseen && unclear.length === 0) return [];
    return `${key}: ${before ?? 'absent'} -> ${now ?? 'absent'} (${foreseen})`;
  });
}

it(`${count} changes have the effects on two WECs that are foreseen`, async () => {
  console.log(`TEST_SEED=${seed} TEST_CHANGES=${count}`);
  const changes = new Changes();
  const found = new Map<string, number>();
  const awaited = new Set<string>();
  const failures: string[] = [];
  /** How many objects that were to be recreated have kept their UIDs. */
  let spared = 0;
  let was = await settle();
  for (let index = 1; index <= count; index += 1) {
    const change = changes.next();
    if (change.isCure) {
      await act(change);
      await settle();
      was = await settle();
      continue;
    }
    const rows = await foresee(change);
    for (const { effect } of rows) found.set(effect, (found.get(effect) ?? 0) + 1);
    await act(change);
    let is = await settle();
    let others = differences(rows, was, is, awaited);
    // A probe may overtake what a policy sends besides, and a Namespace takes a while to go.
    for (const until = Date.now() + 60_000; others.length > 0 && Date.now() < until; ) {
      is = await settle();
      others = differences(rows, was, is, awaited);
    }
    for (const row of rows)
      if (row.object && goesWithSpace(row)) awaited.add(keyOf(row.wec, row.object));
    const again = rows.filter(({ effect }) => effect === 'recreated');
    const places = new Set(again.map(({ wec, object }) => object && keyOf(wec, object)));
    spared += [...places].filter((key) => key && was.get(key) === is.get(key)).length;
    was = is;
    const command = `change ${index}: ${change.words.join(' ')} ${change.input ?? ''}`;
    if (process.env.TEST_SEED !== undefined)
      console.log(`${Math.round(performance.now() / 1000)} s, ${rows.length} rows, ${command}`);
    if (others.length === 0) continue;
    const report = [command, ...others].join('\n  ');
    console.log(report);
    failures.push(report);
  }
  console.log(JSON.stringify({ ...Object.fromEntries(found), spared }));
  assert.equal(failures.length, 0, `${failures.length} changes had other effects`);
  if (process.env.TEST_SEED ?? process.env.TEST_CHANGES) return;
  assert.deepEqual(
    effects.filter((effect) => !found.has(effect)),
    [],
  );
});
