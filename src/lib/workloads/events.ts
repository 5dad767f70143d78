import { type Event, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import { type LogSource, podsOfObject } from './logs.ts';

/** The Namespace that has the events of objects without one (client-go, events: makeEvent). */
const ofClusterScoped = 'default';

/**
 * Reads the events of an object on a WEC, of its pods, and of what its name precedes, such as ReplicaSets, Jobs and claims.
 * @returns in the order of time; the fields are an interface: docs/output.md @throws StellarError `not-found` if the WEC does not have the object
 */
export async function readEvents(source: LogSource) {
  const { wec, kube, object } = source;
  const { name, namespace = ofClusterScoped } = object.ref;
  const [pods, events] = await Promise.all([
    podsOfObject(source),
    listServed<Event>(kube, resources.events, { namespace }),
  ]);
  const names = new Set([name, ...pods.map(({ metadata }) => metadata.name)]);
  const isOf = (other = '') => names.has(other) || other.replace(/-[^-]+$/, '') === name;
  return events
    .filter(({ involvedObject }) => isOf(involvedObject?.name))
    .map(({ metadata, involvedObject, ...event }) => ({
      wec,
      /** When it was seen last: RFC 3339. */
      last:
        event.series?.lastObservedTime ??
        event.lastTimestamp ??
        event.eventTime ??
        metadata.creationTimestamp ??
        null,
      type: event.type ?? '',
      reason: event.reason ?? '',
      /** As `Pod/web-7d9c-x2x`. */
      object: `${involvedObject?.kind}/${involvedObject?.name}`,
      message: event.message ?? '',
      count: event.series?.count ?? event.count ?? 1,
    }))
    .sort((a, b) => Date.parse(a.last ?? '') - Date.parse(b.last ?? ''));
}
