import { StellarError } from '../../engine/errors.ts';

/** @param why never quotes the file: it may hold credentials */
export function invalidKubeconfig(file: string, why: string): StellarError {
  return new StellarError('kubeconfig-invalid', `The kubeconfig ${file} cannot be used: ${why}.`);
}
