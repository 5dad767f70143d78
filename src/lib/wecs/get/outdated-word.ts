import { command } from '../../engine/command-line.ts';
import { formatAge } from '../../engine/duration.ts';
import { run } from '../../engine/next-step.ts';
import { type Evidence, type Problem, problem } from '../../engine/problem.ts';
import { byCondition, byField } from '../../kube/evidence.ts';
import { changedAt, conditionOf, type Secret } from '../../kube/objects.ts';
import { readHubKubeconfig } from '../klusterlet/agent.ts';
import { hubConnectionOf, hubConnectionType } from '../registration/hub-connection.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import { type Findings, isAvailable } from './diagnosis.ts';

/**
 * The secret that contradicts what a WEC's operator says of its connection, and was written since. That it was written since is not enough:
 * the time of the condition moves with its status only, not with its reason or message (seen with OCM 1.3.1).
 */
export function contradiction({ klusterlet, bootstrapSecret, hubSecret }: WecEvidence): Secret | undefined {
  const { state, bootstrap, own, error } = hubConnectionOf(klusterlet);
  const since = Date.parse(conditionOf(klusterlet, hubConnectionType)?.lastTransitionTime ?? '');
  const isNewer = (secret: Secret | undefined) => secret !== undefined && changedAt(secret) > since;
  const isElsewhere = (secret: Secret | undefined) => {
    const server = readHubKubeconfig(secret)?.server;
    return error.server !== undefined && server !== undefined && new URL(server).origin !== error.server;
  };
  if (state !== 'degraded') return undefined;
  const isMissing = own === 'SecretMissing' || own === 'Missing';
  const hasCertificate = hubSecret?.data?.['tls.crt'] !== undefined && readHubKubeconfig(hubSecret) !== undefined;
  if (isMissing && hasCertificate && isNewer(hubSecret)) return hubSecret;
  if (own === 'Error' && bootstrap === 'Functional' && isElsewhere(hubSecret) && isNewer(hubSecret)) return hubSecret;
  const isThere = bootstrap === 'Missing' && readHubKubeconfig(bootstrapSecret) !== undefined;
  const isOther = bootstrap === 'Error' && isElsewhere(bootstrapSecret);
  return (isThere || isOther) && isNewer(bootstrapSecret) ? bootstrapSecret : undefined;
}

/** What its operator said is over, and nothing newer is known of its connection: neither well nor broken. */
export function outdatedWord({ hub, wec, now, name, its }: Findings): Problem | undefined {
  const secret = wec && contradiction(wec);
  if (wec === undefined || secret === undefined || (hub !== undefined && isAvailable(hub))) return undefined;
  return {
    ...problem(
      'operator-word-outdated',
      `What the operator of ${name} reports about its connection was contradicted by Secret ${secret.metadata.name} ${formatAge(now - changedAt(secret))} ago.`,
      run(command`stellarctl doctor ${`${name}=${wec.context}`} --recheck --its ${its}`, 'Make it check again'),
    ),
    severity: 'warn',
  };
}

/** What it is seen by: the condition, and what is newer. */
export function byContradiction({ wec }: Findings): Evidence[] {
  const secret = wec && contradiction(wec);
  if (wec === undefined || secret === undefined) return [];
  const since = new Date(changedAt(secret)).toISOString();
  return [
    ...byCondition('Klusterlet', wec.klusterlet, hubConnectionType, wec.context),
    byField('Secret', secret, 'changed', wec.context, { since }),
  ];
}
