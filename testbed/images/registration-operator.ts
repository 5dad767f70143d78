import { registrationAgent } from '../ocm/agent/agent.ts';
import { agentOptions } from '../ocm/agent/options.ts';
import { startWithoutRights } from '../ocm/agent/start-without-rights.ts';
import { leading } from '../ocm/leadership.ts';
import { klusterletOperator } from '../ocm/operator/operator.ts';
import { worksOfRegistered } from '../ocm/work/agent.ts';
import { byCommand } from '../pod-runner/by-command.ts';

const agent = leading('klusterlet-agent', (context) => registrationAgent(context, worksOfRegistered));

/** Stands in for Open Cluster Management's image `registration-operator`. */
export const registrationOperator = byCommand('registration-operator', {
  // Registration agent and work agent combined.
  agent: (context) => {
    const { kubeconfig } = agentOptions(context.args);
    return kubeconfig === undefined ? agent(context) : startWithoutRights(context, kubeconfig);
  },
  klusterlet: leading('klusterlet', klusterletOperator),
});
