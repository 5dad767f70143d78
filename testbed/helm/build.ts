import { dirname } from 'node:path';
import { buildGoProgram, type Log } from '../plane/go-program.ts';

/** A folder for PATH with the real `helm` in it, built from its Go module. */
export async function buildHelm(log: Log = () => {}): Promise<string> {
  const binary = await buildGoProgram(
    {
      name: 'helm',
      module: `${import.meta.dirname}/module`,
      package: 'helm.sh/helm/v3/cmd/helm',
      versionOf: 'helm.sh/helm/v3',
      settings: (version) => ({ 'helm.sh/helm/v3/internal/version.version': version }),
      title: 'helm',
      duration: '1 to 2 minutes the first time',
    },
    log,
  );
  return dirname(binary);
}
