import { command } from '../../engine/command-line.ts';
import { noted, run } from '../../engine/next-step.ts';
import type { Problem } from '../../engine/problem.ts';
import { resources } from '../../kube/resources.ts';
import { keptLabels, optionsFor } from '../join/kept-labels.ts';
import { wecProblem } from '../problems.ts';
import { hasJoined } from '../registration/hub-evidence.ts';
import type { Findings } from './findings.ts';

/** Its agent reports to another hub, whatever else is wrong. */
export function registeredElsewhere({ foundHub, wec, name, its }: Findings): Problem | undefined {
  if (wec === undefined || foundHub?.relation !== 'other') return undefined;
  const why = foundHub.answer?.state === 'accepted' ? `and nothing proves that this is ${its}` : `not with ${its}`;
  return wecProblem(
    'registered-elsewhere',
    `The cluster of context ${wec.context} is registered as ${name} with the hub ${foundHub.hub.server}, ${why}.`,
    noted(
      command`stellarctl wec join ${`${name}=${wec.context}`} --accept --its ${its} --replace-hub`,
      'moves it, after showing what happens to its workloads',
    ),
  );
}

/** A user has removed it, or the context leads to another cluster. */
export function withoutKlusterlet({ hub, wec, forbidden, name, its }: Findings): Problem | undefined {
  const isUnseen = forbidden.has(resources.klusterlets.plural);
  if (wec === undefined || wec.klusterlet !== undefined || isUnseen || hub === undefined) return undefined;
  return wecProblem(
    'no-klusterlet',
    `There is no Klusterlet in the cluster of context ${wec.context}, so that ${name} has no agent there.`,
    // A name that has joined belongs to the cluster that joined: a join proves that it is this cluster, or fails.
    hasJoined(hub)
      ? noted(
          command`stellarctl wec join ${`${name}=${wec.context}`} --accept --its ${its}`,
          `installs it again, if this is the cluster that joined as ${name}`,
        )
      : run(command`stellarctl wec join ${`${name}=${wec.context}`} --its ${its}`),
  );
}

/** An agent that has its certificate does not announce its ManagedCluster again (seen with OCM 1.3.1). */
export function missingManagedCluster({ hub, wec, foundHub, name, its }: Findings): Problem | undefined {
  if (wec?.hubSecret === undefined || hub === undefined || hub.managedCluster !== undefined) return undefined;
  const isRebuilt = foundHub?.relation === 'same-address';
  const missing = `There is no ManagedCluster ${name} on ${its}`;
  return wecProblem(
    isRebuilt ? 'hub-rebuilt' : 'managed-cluster-missing',
    isRebuilt
      ? `${missing}, whose certificate authority is another one than when ${name} joined: it was rebuilt, or is another hub of the same address.`
      : `${missing}, and its agent, which has its certificate, does not announce it (again).`,
    noted(
      command`stellarctl wec join ${`${name}=${wec.context}`} --accept ${optionsFor(keptLabels(wec.klusterlet))} --its ${its}`,
      'registers it again',
    ),
  );
}
