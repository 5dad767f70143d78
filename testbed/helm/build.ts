import { buildGoModule, type Log, requiredVersion } from '../plane/go-program.ts';

const module = `${import.meta.dirname}/module`;
const version = requiredVersion(module, 'helm.sh/helm/v3');

/** A folder for PATH with the real `helm` in it, built from its Go module. */
export function buildHelm(log: Log = () => {}): Promise<string> {
  return buildGoModule(
    {
      module,
      binaries: [
        {
          name: 'helm',
          package: 'helm.sh/helm/v3/cmd/helm',
          settings: { 'helm.sh/helm/v3/internal/version.version': version },
        },
      ],
      title: 'helm',
      duration: '1 to 2 minutes the first time',
    },
    log,
  );
}
