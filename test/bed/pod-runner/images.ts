import { idle } from '../images/idle.ts';
import { registration } from '../images/registration.ts';
import { registrationOperator } from '../images/registration-operator.ts';
import { work } from '../images/work.ts';
import type { Program } from './program.ts';

/** The images that can be run, by the last part of their repository's name; registry and tag do not matter. */
const programs: Record<string, Program> = {
  'addon-manager': idle,
  placement: idle,
  // Workloads of whoever tries something out.
  nginx: idle,
  pause: idle,
  registration,
  'registration-operator': registrationOperator,
  // KubeStellar's status add-on: it reports nothing here.
  'status-agent': idle,
  work,
};

/**
 * What stands in for an image, or undefined where it cannot be pulled: unknown ones, and whatever is called unknown or
 * missing.
 */
export function programFor(image: string): Program | undefined {
  if (/unknown|missing/.test(image)) return undefined;
  const repository = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return programs[repository.split('/').at(-1) ?? ''];
}
