import { type Fault, pods } from '../faults/fault.ts';

/** The faults as typed by a user, with their subjects. */
export const faultUsage = `dead PLANE [POD], crashing PLANE [POD]   its pods do nothing any more, or fail; its agents unless POD (the
                                         beginning of namespace/name) is given
       webhook, placement, registration PLANE   the hub's registration webhook, or that controller, is dead
       clock-ahead, clock-behind PLANE SECONDS   its agents' clock is off
       unpullable IMAGE                  pods that are made from now on do not get it
       air-gap REGISTRY                  pods that are made from now on get images and charts of that registry only
       failing IMAGE [LINE]...           its programs say these lines and fail, from their next start on
       silent IMAGE                      its programs start and do nothing, from their next start on
       unschedulable PLANE [POD]         pods that are made from now on find no node
       unresolvable, refused, swallowed PLANE [FROM]   pods (of the plane FROM) do not know its internal name any more,
                                         are refused there, or wait 30 s for nothing, as behind a firewall
       certificate PLANE                 it serves with a certificate of another CA
       misnamed PLANE                    it serves with a certificate for other names
       unhealthy PLANE                   its etcd hangs: /livez fails, and so does what needs the store
       unsigned PLANE                    approved requests are not signed
       stopped PLANE                     its processes are killed`;

/** Parses a fault from the words of a command line; undefined if they are invalid. */
export function faultOf([kind, about, value, ...rest]: readonly string[]): Fault | undefined {
  if (about === undefined) return undefined;
  if (kind === 'dead' || kind === 'crashing' || kind === 'unschedulable')
    return { kind, plane: about, pod: value ?? pods.agents };
  if (kind === 'webhook' || kind === 'placement' || kind === 'registration')
    return { kind: 'dead', plane: about, pod: pods[kind] };
  if ((kind === 'clock-ahead' || kind === 'clock-behind') && Number(value) > 0) {
    const seconds = kind === 'clock-ahead' ? Number(value) : -Number(value);
    return { kind: 'clock-off', plane: about, pod: pods.agents, seconds };
  }
  if (kind === 'failing') return { kind, image: about, log: value === undefined ? [] : [value, ...rest] };
  if (kind === 'silent') return { kind, image: about };
  if (kind === 'unpullable') return { kind, image: about };
  if (kind === 'air-gap') return { kind, registry: about };
  if (kind === 'unresolvable' || kind === 'refused' || kind === 'swallowed')
    return { kind, host: `${about}-control-plane`, ...(value && { from: value }) };
  if (kind === 'certificate' || kind === 'misnamed' || kind === 'unhealthy') return { kind, plane: about };
  if (kind === 'unsigned' || kind === 'stopped') return { kind, plane: about };
  return undefined;
}
