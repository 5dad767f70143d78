import { judge, type Stage, type StageReport, unseen } from '../../stages.ts';
import type { RegistrationStageId } from '../registration-stage-ids.ts';
import { type Registration, registrationStages } from '../registration-stages.ts';

/** The kinds of objects that a stage is judged by. */
const kindsOf: Record<RegistrationStageId, string> = {
  'bootstrap-secret': 'secrets',
  'klusterlet-applied': 'klusterlets',
  'hub-reachable': 'klusterlets',
  'managed-cluster': 'managedclusters',
  request: 'certificatesigningrequests',
  approved: 'certificatesigningrequests',
  issued: 'certificatesigningrequests',
  'hub-secret': 'secrets',
  accepted: 'managedclusters',
  connected: 'klusterlets',
  joined: 'managedclusters',
  available: 'managedclusters',
};

/** Judges a registration of which some kinds of objects may not be read: their absence proves nothing then. */
export function judgeSeen(registration: Registration, forbidden: ReadonlySet<string>): StageReport[] {
  const stages = registrationStages.map((stage): Stage<Registration> => {
    const kind = kindsOf[stage.id as RegistrationStageId];
    if (!forbidden.has(kind)) return stage;
    return {
      ...stage,
      check(evidence) {
        const verdict = stage.check(evidence);
        return verdict.state === 'met' ? verdict : unseen(`not allowed to read ${kind}`);
      },
    };
  });
  return judge(stages, registration);
}
