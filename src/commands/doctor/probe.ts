import { type Check, runChecks, skipped } from '../../lib/core/checks.ts';
import type { Examined } from '../../lib/doctor/subject.ts';
import { describeProbe, probe, probeCheck, probeJob } from '../../lib/wecs/join/join-probe.ts';
import { confirm } from '../common/confirm.ts';
import type { Session } from '../common/session.ts';

/**
 * Announces the Jobs that show whether clusters reach the ITS, asks, and adds what they show to the findings.
 * @throws StellarError `not-confirmed`, `interrupted`
 */
export async function probeWecs(session: Session, all: readonly Examined[]): Promise<Examined[]> {
  const probes = all.flatMap(({ plan }) =>
    plan === undefined ? [] : [{ plan, job: probeJob(plan) }],
  );
  for (const { plan, job } of probes) {
    session.announce(plan.kube, `WEC ${plan.name}:`);
    session.progress.note(describeProbe(plan, job));
  }
  if (probes.length > 0 && !session.run.dryRun) {
    const name = probes.map(({ plan }) => plan.name).join(', ');
    await confirm(session, { verb: 'Probe', name, oneWec: probes.length === 1 });
  }
  const check: Check<Examined> = {
    ...probeCheck,
    needs: ['wec-join'],
    async run({ plan }) {
      const made = probes.find((each) => each.plan === plan);
      return made === undefined
        ? skipped('it cannot be registered')
        : probe(made.plan, made.job, session.run);
    },
  };
  const checksOf = ({ subject }: Examined) => (subject.kind === 'wec' ? [check] : []);
  return Promise.all(
    all.map(async (each) => {
      const findings = await runChecks(checksOf(each), each, each.findings);
      return { ...each, findings: [...each.findings, ...findings] };
    }),
  );
}
