import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Component, ComponentStatus } from './spec.ts';

const restartMilliseconds = 500;

/** Keeps one component running until it is told otherwise. */
export class Supervisor {
  readonly #component: Component;
  readonly #log: string;
  #child?: ChildProcess;
  #failures = 0;
  #stopped = true;
  /** Each start and stop ends what earlier ones began. */
  #turn = 0;

  constructor(component: Component, logs: string) {
    this.#component = component;
    this.#log = join(logs, `${component.name}.log`);
  }

  status(): ComponentStatus {
    return {
      name: this.#component.name,
      pid: this.#child?.pid,
      failures: this.#failures,
      stopped: this.#stopped,
    };
  }

  start(): void {
    if (this.#stopped) {
      this.#stopped = false;
      void this.#keepRunning(++this.#turn);
    }
  }

  /** Ends the component with a signal; resolves when it has ended. It stays down until `start`. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.#stopped = true;
    this.#turn++;
    const child = this.#child;
    if (child) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill(signal);
      await ended;
    }
  }

  async #keepRunning(turn: number): Promise<void> {
    for (const endpoint of this.#component.after ?? []) {
      while (turn === this.#turn && !(await answers(endpoint))) {
        await delay(50);
      }
    }
    while (turn === this.#turn) {
      await this.#runOnce();
      if (turn === this.#turn) {
        this.#failures++;
        await delay(restartMilliseconds);
      }
    }
  }

  async #runOnce(): Promise<void> {
    const [program, ...args] = this.#component.command;
    const log = openSync(this.#log, 'a');
    const child = spawn(program!, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    await new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.once('error', (error) => {
        console.error(`${this.#component.name} could not be started: ${error.message}`);
        resolve();
      });
    });
    this.#child = undefined;
  }
}

function answers(endpoint: string): Promise<boolean> {
  const [kind, host, port] = endpoint.split(':');
  return kind === 'ready' ? isReady(host!, Number(port)) : accepts(kind === 'unix' ? host! : [host!, Number(port)]);
}

function accepts(target: string | [host: string, port: number]): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof target === 'string' ? connect(target) : connect(target[1], target[0]);
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once('connect', () => finish(true))
      .once('error', () => finish(false))
      .setTimeout(1000, () => finish(false));
  });
}

function isReady(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    // Nothing secret is sent, and whoever else answers there does not make a component work.
    const options = { host, port, path: '/readyz', rejectUnauthorized: false, agent: false, timeout: 2000 };
    const request = get(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy()).once('error', () => resolve(false));
  });
}
