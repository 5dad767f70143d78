import { idle } from '../images/idle.ts';
import { registrationOperator } from '../images/registration-operator.ts';
import type { Program } from './program.ts';

/**
 * What stub WECs run of an image, or undefined if the image cannot be pulled: one with `unknown` or `missing` in its name, or any but
 * the klusterlet's, by the last part of its repository's name. An image in a folder `workloads` is a workload, which does nothing.
 */
export function programFor(image: string): Program | undefined {
  if (/unknown|missing/.test(image)) return undefined;
  if (/(^|\/)workloads\//.test(image)) return idle;
  return /(^|\/)registration-operator([:@]|$)/.test(image) ? registrationOperator : undefined;
}
