/** Changes of labels, properties and policies, by a seed. */
import type { AnyObject } from '../../../testbed/index.ts';
import { accepted, unaccepted, wdses } from './forecast-bed.ts';

/** A command that changes something, without `--dry-run` or `--yes`. */
export interface Tried {
  words: string[];
  input?: string;
  /** Its effects are not foreseen: templates get what they lacked, and what was not sent for that is sent again. */
  isCure?: boolean;
}

/** Numbers from 0 to 1 that are the same for a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const configMap = (key: string, app: string, more: { region?: string; part?: string } = {}) => {
  const [namespace, name] = key.split('/');
  const { region, part } = more;
  return {
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    metadata: {
      ...{ namespace, name, labels: { app, ...(part && { part }) } },
      annotations: region ? { 'control.kubestellar.io/expand-templates': 'true' } : {},
    },
    data: { secret: 'x', ...(region && { of: region }) },
  };
};

const namespace = (name: string) => ({
  ...{ apiVersion: 'v1', kind: 'Namespace' },
  metadata: { name, labels: { app: name } },
});

/** No two objects of a kind have the same name in two namespaces: KubeStellar confuses their statuses. */
const workloads = {
  wds1: [
    namespace('shop'),
    configMap('shop/s1', 'shop'),
    configMap('shop/s2', 'shop', { part: 'front' }),
    configMap('shop/s3', 'conf', { region: '{{.region}}' }),
    namespace('pay'),
    configMap('pay/p1', 'pay'),
    configMap('pay/p2', 'pay', { part: 'front', region: '{{.region}}-{{.zone}}' }),
  ],
  wds2: [
    namespace('shop'),
    configMap('shop/s1', 'shop'),
    configMap('shop/s4', 'conf', { region: '{{.clusterName}} {{.zone}}' }),
    namespace('lead'),
    configMap('lead/l1', 'lead', { region: '{{.env}}' }),
    configMap('lead/l2', 'lead'),
    namespace('ops'),
    configMap('ops/o1', 'ops'),
    configMap('ops/o2', 'ops', { part: 'front', region: '{{.zone}}' }),
  ],
} as unknown as Record<string, AnyObject[]>;

export const workloadsOf = (wds: string): readonly AnyObject[] => workloads[wds] ?? [];

const clusterTerms = [
  ...['tier=web', 'tier=db', 'env=prod', 'env=test', '!quarantine'],
  ...['tier!=web,!quarantine', 'env in (prod,test)', 'tier=web,!quarantine', 'tier'],
];

const matchOf: Record<string, object> = {
  'tier=web': { matchLabels: { tier: 'web' } },
  'tier=db': { matchLabels: { tier: 'db' } },
  'env=prod': { matchLabels: { env: 'prod' } },
  'env=test': { matchLabels: { env: 'test' } },
  '!quarantine': { matchExpressions: [{ key: 'quarantine', operator: 'DoesNotExist' }] },
  'tier!=web,!quarantine': {
    matchExpressions: [
      { key: 'tier', operator: 'NotIn', values: ['web'] },
      { key: 'quarantine', operator: 'DoesNotExist' },
    ],
  },
  'env in (prod,test)': {
    matchExpressions: [{ key: 'env', operator: 'In', values: ['prod', 'test'] }],
  },
  'tier=web,!quarantine': {
    matchLabels: { tier: 'web' },
    matchExpressions: [{ key: 'quarantine', operator: 'DoesNotExist' }],
  },
  tier: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
};

const appsOf: Record<string, string[]> = {
  wds1: ['shop', 'shop', 'conf', 'pay'],
  wds2: ['shop', 'conf', 'ops'],
};
const namespacesOf: Record<string, string[]> = { wds1: ['shop', 'pay'], wds2: ['shop', 'ops'] };
const names = ['p1', 'p2', 'p3', 'p4'];

const app = (...values: string[]) => ({
  objectSelectors: values.map((value) => ({ matchLabels: { app: value } })),
});
const sending = (term: string, ...downsync: object[]) => ({
  clusterSelectors: [matchOf[term]],
  downsync,
});

/** It is never changed: its templates ask for a label that all WECs have which it selects. */
const fixed = 'wds2/lead';

/** Policies that there are from the start: some send the same objects, so that WECs move from one to another. */
export const initialPolicies: Readonly<Record<string, object>> = {
  'wds1/p1': sending('tier=web', app('shop')),
  'wds1/p2': sending('tier=db', app('shop'), app('pay')),
  'wds1/p3': sending('env=prod', app('shop', 'conf')),
  'wds2/p1': sending('tier=web', app('shop', 'ops')),
  'wds2/p2': sending('env=test', app('conf'), app('ops')),
  [fixed]: sending('env in (prod,test)', app('lead')),
};

/** Values of labels and properties: null removes one. */
const labelValues = {
  tier: ['web', 'db', null],
  env: ['prod', 'test', null],
  quarantine: ['true', null],
};
const propertyValues = { region: ['eu', 'us', 'ap'], zone: ['a', 'b'] };

export const initialLabels = {
  w1: { tier: 'web', env: 'prod' },
  w2: { tier: 'web', env: 'test' },
  w3: { tier: 'db', env: 'prod' },
  w4: { tier: 'db', env: 'test' },
  w5: { tier: 'web', env: 'prod', quarantine: 'true' },
  // No policy selects it, unless a change lets them.
  w6: { quarantine: 'true' },
};

/** Makes up changes, and keeps what they lead to. */
export class Changes {
  readonly #random: () => number;
  readonly #policies = new Map(Object.entries(initialPolicies).filter(([key]) => key !== fixed));
  /**
   * What undoes the last change: the transport deletes nothing of a policy while a WEC of it is not accepted, and sends nothing of one
   * whose templates lack a property.
   */
  readonly #next: Tried[] = [];

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  #chance(of: number) {
    return this.#random() < of;
  }

  #one<T>(some: readonly T[]): T {
    return some[Math.floor(this.#random() * some.length)] as T;
  }

  #some<T>(some: readonly T[], count: number): T[] {
    return [...new Set(Array.from({ length: count }, () => this.#one(some)))];
  }

  next(): Tried {
    const undone = this.#next.shift();
    if (undone !== undefined) return undone;
    const kind = this.#random();
    if (this.#policies.size < 4) return this.#create();
    if (kind < 0.42) return this.#label();
    if (kind < 0.58) return this.#property();
    if (kind < 0.7 && this.#policies.size < wdses.length * names.length) return this.#create();
    return kind < 0.9 ? this.#apply() : this.#remove();
  }

  #label(): Tried {
    const isForeign = this.#chance(0.12);
    const wecs = isForeign ? [unaccepted] : this.#some(accepted, this.#one([1, 1, 1, 2, 3]));
    const key = this.#one(['tier', 'tier', 'tier', 'env', 'env', 'quarantine'] as const);
    const values =
      isForeign && key !== 'quarantine' ? labelValues[key].slice(0, 2) : labelValues[key];
    const value = this.#one<string | null>(values);
    const change = value === null ? `${key}-` : `${key}=${value}`;
    const line = (words: string[]) => ({ words: ['label', ...words, '--overwrite', ...its] });
    if (isForeign) {
      this.#next.push(line([unaccepted, 'tier-', 'env-', 'quarantine=true']));
    }
    return line([...wecs, change]);
  }

  #property(): Tried {
    const wecs = this.#some(accepted, this.#one([1, 1, 2]));
    const key = this.#one(['region', 'region', 'zone'] as const);
    const value = this.#one(propertyValues[key]);
    const line = (change: string) => ({
      words: ['wec', 'properties', ...wecs, change, '--overwrite', ...its],
    });
    if (!this.#chance(0.15)) return line(`${key}=${value}`);
    this.#next.push({ ...line(`${key}=${value}`), isCure: true });
    return line(`${key}-`);
  }

  #create(): Tried {
    const free = wdses.flatMap((wds) =>
      names.filter((name) => !this.#policies.has(`${wds}/${name}`)).map((name) => ({ wds, name })),
    );
    const { wds, name } = this.#one(free);
    this.#policies.set(`${wds}/${name}`, {});
    if (this.#chance(0.5)) return this.#applied(wds, name);
    const app = this.#one(appsOf[wds] ?? []);
    const selecting = this.#chance(0.75)
      ? ['-l', `app=${app}`]
      : ['-n', this.#one(namespacesOf[wds] ?? []), '--select', 'configmaps', '-l', 'part=front'];
    const words = ['policy', 'create', name, ...selecting];
    for (const term of this.#some(clusterTerms, this.#one([1, 1, 2])))
      words.push('--clusters', term);
    if (this.#chance(0.2)) words.push('--create-only');
    if (this.#chance(0.2)) words.push('--status', 'replicas');
    return { words: [...words, '--allow-errors', ...at(wds)] };
  }

  #apply(): Tried {
    const [wds = '', name = ''] = this.#one([...this.#policies.keys()]).split('/');
    return this.#applied(wds, name);
  }

  /** A policy of a file, which is often a change of one part of it. */
  #applied(wds: string, name: string): Tried {
    const key = `${wds}/${name}`;
    const fresh = {
      clusterSelectors: this.#some(clusterTerms, this.#one([1, 1, 2])).map((term) => matchOf[term]),
      downsync: Array.from({ length: this.#one([1, 1, 2]) }, () => this.#clause(wds)),
    };
    const known = this.#policies.get(key) ?? {};
    const part = this.#random();
    const { clusterSelectors, downsync } = fresh;
    const spec = {
      ...fresh,
      ...known,
      ...(part < 0.6 && { downsync }),
      ...(part > 0.4 && { clusterSelectors }),
    };
    this.#policies.set(key, spec);
    const apiVersion = 'control.kubestellar.io/v1alpha1';
    const policy = { apiVersion, kind: 'BindingPolicy', metadata: { name }, spec };
    const words = ['policy', 'apply', '-f', '-', '--allow-errors', ...at(wds)];
    return { words, input: JSON.stringify(policy) };
  }

  #clause(wds: string) {
    const app = this.#one(appsOf[wds] ?? []);
    const kind = this.#random();
    const objectSelectors = [{ matchLabels: { app, ...(kind < 0.25 && { part: 'front' }) } }];
    const configMaps = { apiGroup: '', resources: ['configmaps'] };
    return {
      ...(kind > 0.8
        ? { ...configMaps, namespaces: [this.#one(namespacesOf[wds] ?? [])] }
        : { objectSelectors }),
      ...(kind > 0.25 && kind < 0.4 && configMaps),
      ...(this.#chance(0.15) && { createOnly: true }),
      ...(kind < 0.8 && this.#chance(0.15) && { statusCollectors: ['replicas'] }),
    };
  }

  #remove(): Tried {
    const key = this.#one([...this.#policies.keys()]);
    this.#policies.delete(key);
    const [wds = '', name = ''] = key.split('/');
    return { words: ['policy', 'delete', name, ...at(wds)] };
  }
}

const its = ['--its', 'its1'];
const at = (wds: string) => ['--wds', wds, ...its];
