import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { defineGroup } from '../shell/options.ts';
import { spaceCommands } from '../space/space.ts';
import { createWdsCommand } from './create.ts';

export const wdsGroup = (io: Io): Command =>
  defineGroup(
    'wds',
    'Commands for Workload Description Spaces (WDSes): the API servers where workloads and binding policies are defined.',
    [createWdsCommand(io), ...spaceCommands(io, 'wds')],
  );
