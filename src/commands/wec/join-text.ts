import { command } from '../../lib/core/command-line.ts';
import { run, textOf } from '../../lib/core/next-step.ts';
import { describeCluster } from '../../lib/kube/client/errors.ts';
import type { HubAccess } from '../../lib/ocm/hub-access.ts';
import { describeRemainingWorks } from '../../lib/wecs/former-hub.ts';
import { joinManifests, tokenPlaceholder } from '../../lib/wecs/join-manifests.ts';
import type { JoinOptions, Moving } from '../../lib/wecs/join-options.ts';
import type { Session } from '../common/session.ts';

/** Prints what a join would apply, as a List in JSON or as YAML documents. */
export async function printManifests(
  session: Session,
  access: HubAccess,
  name: string,
  options: JoinOptions,
): Promise<void> {
  const objects = await joinManifests(access, name, options, session.run);
  if (session.output === 'json') {
    await session.printDocument({ apiVersion: 'v1', kind: 'List', items: objects }, { format: 'json' });
  } else {
    for (const object of objects) await session.printDocument(object, { format: 'yaml', isOneOfMany: true });
  }
  const token = command`stellarctl its token -o json --its ${access.its}`;
  session.progress.note(textOf(run(token, command`Put a token in place of ${tokenPlaceholder}`)));
}

/** Describes what happens to a WEC that moves from one hub to another, before the user confirms. */
export function describeMoving({ name, cluster, from, its, works }: Moving): string[] {
  const workloadEffects =
    works === undefined ? 'which works of that hub run on it could not be read' : describeRemainingWorks(works, its);
  return [
    `${name}: ${describeCluster(cluster)} is registered with the hub ${from}, and will be moved to ${its}.`,
    `  On that hub: its ManagedCluster ${name} stays, becomes unavailable after some minutes, and has to be deregistered there.`,
    `  Labels: those that it has there are not set on ${its}; --label sets them.`,
    `  Workloads: ${workloadEffects ?? 'no work of that hub runs on it'}.`,
  ];
}
