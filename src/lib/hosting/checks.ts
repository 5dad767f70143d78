import { type Finding, findingsOfStages } from '../engine/checks.ts';
import { command } from '../engine/command-line.ts';
import { run } from '../engine/next-step.ts';
import { judge, unseen } from '../engine/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import { lenient, mayNotRead } from '../kube/permissive-reader.ts';
import { hostingStages, readHosting } from './stages.ts';

/** Checks what a hosting cluster consists of. */
export async function checkHosting(hosting: Kube): Promise<Finding[]> {
  const reader = lenient(hosting);
  const reports = judge(hostingStages, await readHosting(reader));
  const install = run(command`stellarctl init --hosting-context ${hosting.cluster.context}`, 'Install what is missing');
  return findingsOfStages(
    'hosting',
    hosting.cluster.context,
    reports.map(({ verdict, ...stage }) => {
      if (verdict.state === 'met' || verdict.state === 'unseen') return { ...stage, verdict };
      if (reader.forbidden.size > 0) return { ...stage, verdict: unseen(mayNotRead(reader.forbidden)) };
      return { ...stage, verdict: { ...verdict, next: verdict.next ?? [install] } };
    }),
  );
}
