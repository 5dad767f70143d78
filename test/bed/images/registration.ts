import { registrationAgent } from '../ocm/agent/agent.ts';
import { registrationController } from '../ocm/hub/registration-controller.ts';
import { registrationWebhook } from '../ocm/hub/registration-webhook.ts';
import type { PodContext, Program } from '../pod-runner/program.ts';

const commands: Record<string, Program> = {
  agent: registrationAgent,
  controller: registrationController,
  'webhook-server': registrationWebhook,
};

/** Stands in for Open Cluster Management's image `registration`: `/registration controller|webhook-server|agent`. */
export async function registration(context: PodContext): Promise<void> {
  const command = context.args[1] ?? '';
  const program = commands[command];
  if (!program) throw new Error(`unknown command "${command}" for "registration"`);
  await program(context);
}
