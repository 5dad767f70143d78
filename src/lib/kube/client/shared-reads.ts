import { RateLimiter } from '../../engine/rate-limiter.ts';
import { batchThreshold, RequestBatcher } from '../../engine/request-batcher.ts';
import type { Run } from '../../engine/run.ts';
import type { KubeObject } from '../objects.ts';
import { pathOf, type Resource } from '../resources.ts';
import type { Kube, Permission, Selection } from './client.ts';
import { withOwn } from './delegate.ts';

/**
 * The rate limit of a command on many names for reads from its ITS, beside its writes: requests per second, and the burst after a
 * rest.
 */
const readsPerSecond = 20;
const readsAtOnce = 10;

/** A question, and how it is asked alone. */
interface Question {
  /** The id of one object, or of objects that are alike: see idOf. */
  id: string;
  single: () => Promise<unknown>;
}

/** The one list that answers many questions, and how to distinguish their answers. */
interface Listing {
  /** @param ids of all questions */
  selection: (ids: readonly string[]) => Selection;
  idOf: (object: KubeObject) => string;
  /** @param objects undefined if the kind is not served */
  answer: (objects: KubeObject[] | undefined) => unknown;
}

/**
 * A client of one ITS for a command on many names. One read answers all questions that arrive while it waits for its turn; it
 * starts after all of them. Many questions of a kind become one list. Rights are checked once: a user who may do something with all
 * objects of a kind may do it with each one. For few names it is the client itself.
 * @param names the number of names in the command
 */
export function shareReads(kube: Kube, names: number, run: Pick<Run, 'deadline' | 'signal'>): Kube {
  if (names <= batchThreshold) return kube;
  const rateLimiter = new RateLimiter(readsPerSecond, readsAtOnce, run);
  const limited = <T>(ask: () => Promise<T>): Promise<T> => rateLimiter.wait().then(ask);
  const kinds = new Map<string, RequestBatcher<Question, unknown>>();
  const ask = <Answer>(kind: string, question: Question, resource?: Resource, listing?: Listing): Promise<Answer> => {
    const batch = resource && listing && (async (all: readonly Question[]) => listFor(kube, resource, listing, all));
    const answering = { idOf: ({ id }: Question) => id, single: ({ single }: Question) => single() };
    const batcher = kinds.get(kind) ?? new RequestBatcher({ ...answering, ...(batch && { batch }) }, rateLimiter, run);
    kinds.set(kind, batcher);
    return batcher.ask(question) as Promise<Answer>;
  };
  return withOwn(kube, {
    get<T extends KubeObject>(resource: Resource, name: string, options: { namespace?: string | undefined } = {}) {
      const question = { id: nameOf(options.namespace, name), single: () => kube.get<T>(resource, name, options) };
      return ask<T | undefined>(`get ${pathOf(resource)}`, question, resource, single(resource));
    },
    list<T extends KubeObject>(resource: Resource, selection: Selection = {}) {
      // What one caller keeps of an object is not what another one needs.
      if (selection.trim !== undefined) return limited(() => kube.list<T>(resource, selection));
      const part = partOf(selection);
      const question = { id: part?.id ?? '', single: () => kube.list<T>(resource, selection) };
      const form = selection.metadataOnly ? 'metadata' : '';
      const kind = `list ${pathOf(resource)} ${part?.rest ?? selection.labelSelector ?? ''} ${part?.by ?? ''} ${form}`;
      return ask<T[] | undefined>(kind, question, resource, part);
    },
    read: <T>(path: string, accept?: string, query?: Record<string, string>) =>
      ask<T | undefined>(JSON.stringify([path, accept, query]), {
        id: path,
        single: () => kube.read<T>(path, accept, query),
      }),
    review: (body) => limited(() => kube.review(body)),
    mayI: askOnce((permission) => limited(() => kube.mayI(permission))),
    fork(changes) {
      const forked = kube.fork(changes);
      return withOwn(forked, { review: (body) => limited(() => forked.review(body)) });
    },
  });
}

async function listFor(
  kube: Kube,
  resource: Resource,
  { selection, idOf, answer }: Listing,
  questions: readonly Question[],
): Promise<(question: Question) => unknown> {
  const objects = await kube.list(resource, selection(questions.map(({ id }) => id)));
  const found = objects && Map.groupBy(objects, idOf);
  return ({ id }) => answer(found && (found.get(id) ?? []));
}

const nameOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

/** Objects by name: of one namespace, if all questions are about the same one. */
const single = ({ apiVersion, kind }: Resource): Listing => ({
  selection: (ids) => {
    const [namespace, ...others] = new Set(ids.map((id) => id.split('/')[0]));
    return others.length === 0 && namespace ? { namespace } : {};
  },
  idOf: ({ metadata }) => nameOf(metadata.namespace, metadata.name),
  // An API server omits apiVersion and kind of its own kinds in lists.
  answer: (objects) => objects?.[0] && { apiVersion, kind, ...objects[0] },
});

/**
 * The objects of a namespace, or with a label value, as parts of a list of all.
 * @returns undefined for a selection of another form
 */
function partOf({
  namespace,
  labelSelector,
  metadataOnly = false,
}: Selection): (Listing & { id: string; rest: string; by: string }) | undefined {
  const answer: Listing['answer'] = (objects) => objects;
  if (namespace !== undefined) {
    const selection = () => ({ labelSelector, metadataOnly });
    const idOf = ({ metadata }: KubeObject) => metadata.namespace ?? '';
    return { selection, idOf, answer, id: namespace, rest: labelSelector ?? '', by: 'namespace' };
  }
  const [, rest = '', label, id] = /^(?:(.*),)?([^,=!]+)=([^,=]+)$/.exec(labelSelector ?? '') ?? [];
  if (label === undefined || id === undefined) return undefined;
  const selection = () => ({ labelSelector: [rest, label].filter(Boolean).join(','), metadataOnly });
  return { selection, idOf: ({ metadata }) => metadata.labels?.[label] ?? '', answer, id, rest, by: label };
}

/** Asks for all objects of a kind first, and for each right once. */
function askOnce(ask: Kube['mayI']): Kube['mayI'] {
  const answers = new Map<string, Promise<boolean>>();
  const once = (permission: Permission): Promise<boolean> => {
    const key = JSON.stringify(permission);
    const answer = answers.get(key) ?? ask(permission);
    answers.set(key, answer);
    answer.catch(() => answers.delete(key));
    return answer;
  };
  return async ({ name, namespace, ...everything }) => {
    if (await once(everything)) return true;
    const wanted = { ...everything, ...(namespace && { namespace }), ...(name && { name }) };
    return name || namespace ? once(wanted) : false;
  };
}
