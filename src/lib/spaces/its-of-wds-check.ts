import { type Check, fail, type Outcome, pass, warn } from '../core/checks.ts';
import { command } from '../core/command-line.ts';
import { partial } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Deployment } from '../kube/client/objects.ts';
import { isDeploymentReady } from '../kube/pods.ts';
import { hookNames, managerDeployment } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { itsNameOf, itsOfWds, roleOf } from './spaces.ts';

/** A WDS among the control planes of its hosting cluster. */
interface WdsAmong {
  name: string;
  all: readonly ControlPlane[];
  /** The Deployments of its namespace. */
  deployments: readonly Deployment[];
  hosting: Kube;
}

/** Checks that the ITS of a WDS is unambiguous: otherwise its controllers exit. */
export const itsOfWdsChecks: readonly Check<WdsAmong>[] = [{ id: 'wds-its', title: 'its ITS is known', run: judgeIts }];

/** The checks that depend on it. */
export const needsOfIts: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [hookNames.controller, hookNames.transport, 'wds-crds', 'its-workstatus', 'properties-namespace', 'ready'].map(
    (stage) => [`wds-${stage}`, ['wds-its']],
  ),
);

function judgeIts({ name, all, deployments, hosting }: WdsAmong): Outcome {
  if (itsOfWds(name, all) !== undefined) return pass();
  const { context } = hosting.cluster;
  const itses = all.filter((each) => roleOf(each) === 'its');
  const named = itsNameOf(all.find(({ metadata }) => metadata.name === name));
  const present = itses.map(({ metadata }) => metadata.name).join(', ');
  const why =
    named === undefined
      ? itses.length === 0
        ? `${name} names no ITS, and there is none`
        : `${name} names no ITS, and there are several: ${present}`
      : `${name} names the ITS ${named}, which does not exist`;
  const repair = command`stellarctl wds repair ${name} --hosting-context ${context}`;
  // A controller that started while the ITS was unambiguous runs until its next start.
  const manager = deployments.find(({ metadata }) => metadata.name === managerDeployment);
  const [otherwise, until] = isDeploymentReady(manager)
    ? [warn, '; its controllers keep using the ITS that they found when they started']
    : [fail, ''];
  return otherwise('its-unclear', `${why}${until}.`, partial(`${repair} --its ITS`, 'Bind it to one of them'));
}
