// Compares the projections of one execution with the fold of its log, stage by stage as the log is
// read: a stage that has ended never changes again, so it can be compared while others go on.

import {
  initialProjection,
  type Projection,
  project,
  projectionMemory,
  type Stage,
  takeChanges,
} from "#core/engine/project";
import { canonicalJson } from "#core/model/canonical-json";
import type { Event } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { verifyProblemsMax } from "#core/model/limits";
import { storableText } from "#core/model/storable-text";
import type { ProjectionRow } from "#core/ports/projection-store";
import type { ControlContext } from "./context.ts";

type ProjectionContext = Pick<ControlContext, "projections">;

/** Stages that ended after the projection's event, kept until it may have come further. */
const lateStagesMax = 10_000;

export class ProjectionCheck {
  readonly #problems: string[] = [];
  readonly #projection: Projection;
  readonly #late: Stage[] = [];
  #first: ProjectionRow | undefined;
  #entered = 0;
  #isAsked = false;

  constructor(
    readonly context: ProjectionContext,
    readonly id: ExecutionId,
  ) {
    this.#projection = initialProjection(id);
  }

  /** Folds the events, and compares the stages that they ended. */
  async read(events: readonly Event[]): Promise<void> {
    if (!this.#isAsked) this.#first = await this.#row();
    this.#isAsked = true;
    if (this.#first === undefined) return;
    for (const event of events) {
      project(this.#projection, event);
      if (event.type === "step.enter") this.#entered++;
    }
    const { stages } = takeChanges(this.#projection);
    const ended = stages.filter(({ exitedSeq }) => exitedSeq !== undefined);
    const { seq } = this.#first;
    await this.#compare(ended.filter(({ exitedSeq = 0 }) => exitedSeq <= seq));
    const late = ended.filter(({ exitedSeq = 0 }) => exitedSeq > seq);
    this.#late.push(...late.slice(0, lateStagesMax - this.#late.length));
  }

  /**
   * What is wrong, now that the log was read to its head. A projection that is made anew meanwhile,
   * or lags behind, is not wrong.
   */
  async problems(head: number): Promise<readonly string[]> {
    const first = this.#first;
    const row = await this.#row();
    if (first === undefined || row === undefined || row.seq < first.seq) return [];
    if (row.seq > head) return [`the projection stands at event ${row.seq}, the log at ${head}`];
    if (row.seq < head) return [...this.#problems];
    await this.#compare([...this.#late.splice(0), ...this.#projection.open.values()]);
    const { path, version } = this.#projection;
    if (row.path !== storableText(path) || row.version !== version) {
      this.#note("the projection is of another playbook than the log");
    }
    if (row.memory !== projectionMemory(this.#projection)) {
      this.#note("the projection remembers other open calls than the log");
    }
    const count = await this.context.projections.stageCount(this.id);
    if (count !== this.#entered) {
      this.#note(`the projection has ${count} stages, the log ${this.#entered}`);
    }
    return [...this.#problems];
  }

  async #row(): Promise<ProjectionRow | undefined> {
    const [row] = await this.context.projections.rows([this.id]);
    return row;
  }

  async #compare(stages: readonly Stage[]): Promise<void> {
    if (stages.length === 0 || this.#problems.length >= verifyProblemsMax) return;
    const seqs = stages.map(({ enteredSeq }) => enteredSeq);
    const found = await this.context.projections.stagesAt(this.id, seqs);
    const bySeq = new Map(found.map((stage) => [stage.enteredSeq, textOf(stage)]));
    for (const stage of stages) {
      const text = bySeq.get(stage.enteredSeq);
      const where = `stage ${stage.step} ${stage.visit} of event ${stage.enteredSeq}`;
      if (text === undefined) this.#note(`${where} is missing`);
      else if (text !== textOf(stage)) this.#note(`${where} is not as the log has it`);
    }
  }

  #note(problem: string): void {
    if (this.#problems.length < verifyProblemsMax) this.#problems.push(problem);
  }
}

/** Stages as the stores keep them, whatever the order of their fields. */
function textOf(stage: Stage): string {
  return canonicalJson({ ...stage, step: storableText(stage.step) } as unknown as Json);
}
