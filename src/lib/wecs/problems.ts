import {
  command,
  type NextStep,
  onIts,
  type Problem,
  partial,
  problem,
  run,
} from '../core/next-step.ts';
import { agentNamespace } from '../ocm/ocm-names.ts';
import type { WecEvidence } from '../ocm/wec-evidence.ts';

/** What may resolve by itself, or waits for a user. */
const warnings = ['certificate-expiring', 'versions-apart', 'another-agent-asks'];

/** The checks of the ITS whose failure explains a problem. */
const causingProblems: Readonly<Record<string, readonly string[]>> = {
  'not-allowed-to-register': ['its-bootstrap-rights'],
};

/** A problem of a WEC. docs/troubleshooting.md has a line for each code. */
export const wecProblem = (
  code: string,
  message: string,
  ...next: readonly NextStep[]
): Problem => ({
  ...problem(code, message, ...next),
  ...(warnings.includes(code) && { severity: 'warn' }),
  causedBy: causingProblems[code],
});

/** A WEC, as far as it was read, and what it is read with. */
interface ReadWec {
  name: string;
  wec: WecEvidence | undefined;
  its?: string;
  context?: string | undefined;
}

/** The command that shows the agent's own logs. */
export function toSeeAgent(registration: ReadWec): NextStep {
  const { wec } = registration;
  if (wec === undefined) return toSeeCluster(registration);
  const agent = wec.pods?.find(({ metadata }) => metadata.namespace === agentNamespace)?.metadata
    .name;
  return agent === undefined
    ? agentPods(wec.context)
    : run(command`kubectl --context ${wec.context} -n ${agentNamespace} logs ${agent}`);
}

export const agentPods = (context: string): NextStep =>
  run(command`kubectl --context ${context} -n ${agentNamespace} get deployments,pods`);

/** For a cluster that was not read: without a context, or because it does not answer. */
export const toSeeCluster = ({ name, its, context }: Omit<ReadWec, 'wec'>): NextStep =>
  context === undefined
    ? {
        ...partial(command`stellarctl wec get ${name}=CONTEXT ${onIts(its)}`),
        note: 'what the cluster itself shows',
      }
    : run(
        command`kubectl --context ${context} cluster-info`,
        'See why the cluster does not answer',
      );
