import { command } from '../../engine/command-line.ts';
import { inWords, outline, run } from '../../engine/next-step.ts';
import { type Problem, problem } from '../../engine/problem.ts';
import { conditionOf } from '../../kube/objects.ts';
import { versionWords } from '../../versions/words.ts';
import { isOurs } from '../klusterlet/operator.ts';
import type { Findings } from './diagnosis.ts';
import { wecVersions } from './wec-versions.ts';

/** What its agent says of the WEC's own API server, with the checks of it that fail (ocm pkg/registration/spoke, healthCheck). */
export function unhealthyApiServer({ hub, name, context }: Findings): Problem | undefined {
  const { status, reason, message = '' } = conditionOf(hub?.managedCluster, 'ManagedClusterConditionAvailable') ?? {};
  if (status !== 'False' || reason !== 'ManagedClusterKubeAPIServerUnavailable') return undefined;
  const failing = [...message.matchAll(/\[-\](\S+) failed/g)].map(([, check]) => check);
  const look = command`kubectl --context ${context ?? 'CONTEXT'} get --raw /readyz?verbose`;
  return problem(
    'api-server-unhealthy',
    `The API server of ${name} is not healthy${failing.length > 0 ? `: ${failing.join(', ')} failed` : ''}.`,
    (context === undefined ? outline : run)(look, 'See its health checks'),
  );
}

/** Versions that differ by more than a patch. What has no version of that form is not compared. */
function isApart(one: string, other: string): boolean {
  const [own, others] = [one, other].map((version) => /^\d+\.\d+(?=\.)/.exec(version)?.[0]);
  return own !== undefined && others !== undefined && own !== others;
}

/** An agent of another minor version than its hub, or than its Klusterlet asks for. */
export function versionsApart({ wec, ocmOfHub, name, its }: Findings): Problem | undefined {
  const versions = wec === undefined ? [] : wecVersions(wec, undefined);
  const isOther = versions.some(({ running, apart }) => {
    const [version] = running ?? [];
    return apart || (version !== undefined && ocmOfHub !== undefined && isApart(version, ocmOfHub));
  });
  if (wec === undefined || !isOther) return undefined;
  const { klusterlet, context } = wec;
  const found = problem(
    'versions-apart',
    `${name} has ${versionWords(versions).join(', ')}; ${its} runs ${ocmOfHub === undefined ? 'an unknown version' : `OCM ${ocmOfHub}`}.`,
    klusterlet !== undefined && isOurs(klusterlet)
      ? run(command`stellarctl wec join ${`${name}=${context}`} --its ${its}`, 'Upgrade it to the version of the hub')
      : inWords(`Change the version where the Klusterlet of ${name} was installed from`),
  );
  return { ...found, severity: 'warn' };
}
