import type { Program } from '../program.ts';

/** 3.14 is the first that can take over the values of a release onto those of a newer chart (--reset-then-reuse-values). */
export const helmProgram: Program = {
  name: 'helm',
  minimum: '3.14.0',
  get: 'https://helm.sh/docs/intro/install/',
  versionArguments: ['version', '--template', '{{.Version}}'],
};
