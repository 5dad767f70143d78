import { registrationAgent } from '../ocm/agent/agent.ts';
import { registrationController } from '../ocm/hub/registration-controller.ts';
import { registrationWebhook } from '../ocm/hub/registration-webhook.ts';
import { leading } from '../ocm/leadership.ts';
import { byCommand } from '../pod-runner/by-command.ts';

/** Stands in for Open Cluster Management's image `registration`. */
export const registration = byCommand('registration', {
  agent: leading('registration-agent', (context) => registrationAgent(context)),
  controller: leading('registration-controller', registrationController),
  'webhook-server': registrationWebhook,
});
