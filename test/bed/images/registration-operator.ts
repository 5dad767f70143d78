import { registrationAgent } from '../ocm/agent/agent.ts';
import { klusterletOperator } from '../ocm/operator/operator.ts';
import type { PodContext, Program } from '../pod-runner/program.ts';
import { idle } from './idle.ts';

const commands: Record<string, Program> = {
  // Registration agent and work agent in one; the work agent does nothing yet.
  agent: registrationAgent,
  // The hub is made by installHub.
  hub: idle,
  klusterlet: klusterletOperator,
};

/** Stands in for Open Cluster Management's image `registration-operator`: `/registration-operator klusterlet|agent|hub`. */
export async function registrationOperator(context: PodContext): Promise<void> {
  const command = context.args[1] ?? '';
  const program = commands[command];
  if (!program) throw new Error(`unknown command "${command}" for "registration-operator"`);
  await program(context);
}
