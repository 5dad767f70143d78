import { judge, type Stage, type StageReport, unseen } from '../../engine/stages.ts';
import type { Registration } from '../registration/checks.ts';
import { registrationStages } from '../registration/stages.ts';

/** Judges a registration of which some kinds of objects may not be read: their absence proves nothing then. */
export function judgeSeen(registration: Registration, forbidden: ReadonlySet<string>): StageReport[] {
  const stages = registrationStages.map((stage): Stage<Registration> => {
    if (!forbidden.has(stage.kind)) return stage;
    return {
      ...stage,
      check(evidence) {
        const verdict = stage.check(evidence);
        return verdict.state === 'met' ? verdict : unseen(`not allowed to read ${stage.kind}`);
      },
    };
  });
  return judge(stages, registration);
}
