import { formatAge } from '../../engine/duration.ts';
import { advice } from '../../engine/next-step.ts';
import type { Problem } from '../../engine/problem.ts';
import { wecProblem } from '../problems.ts';
import { signingGraceMs } from '../registration/checks.ts';
import { hasJoined } from '../registration/hub-evidence.ts';
import { validityOfAgent } from '../reregister/reregister.ts';
import { toSeeAgent } from './diagnosis.ts';
import type { WecFindings } from './findings.ts';

/** A request that the hub has approved and not signed; for a joined WEC only renewals matter. */
export function unsigned({ hub, name, its, now }: WecFindings): Problem | undefined {
  if (hub === undefined) return undefined;
  const request = hub.requests.findLast(({ state, renewal }) => state !== 'denied' && (renewal || !hasJoined(hub)));
  const isOverdue = request?.decided !== undefined && now - request.decided > signingGraceMs;
  if (request?.state !== 'failed' && !(request?.state === 'approved' && isOverdue)) return undefined;
  const what = request.renewal ? 'the request of its agent for its next certificate' : 'its request';
  return wecProblem(
    'not-signed',
    `${its} approved ${what} ${formatAge(now - (request.decided ?? request.created))} ago, but nothing there has signed it: ${name} gets no certificate.`,
    advice(
      `Run kube-controller-manager of ${its} with its controller csrsigning, which signs for kubernetes.io/kube-apiserver-client; some hosted control planes never do`,
    ),
  );
}

/** Agents renew their certificates in the last fifth or quarter of their validity (ocm pkg/registration/register/csr). */
const renewedBefore = 0.15;

export function expiringCertificate(findings: WecFindings): Problem | undefined {
  const { now, name } = findings;
  const { from, to } = validityOfAgent(findings) ?? { from: 0, to: 0 };
  const left = to - now;
  if (left <= 0 || left > renewedBefore * (to - from)) return undefined;
  return wecProblem(
    'certificate-expiring',
    `The certificate of the agent of ${name} expires in ${formatAge(left)}, and its agent has not renewed it in time.`,
    toSeeAgent(findings),
  );
}
