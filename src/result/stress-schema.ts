/** What a result of `stress` must look like. Field names of the JSON contract keep their meaning. */
import * as v from 'valibot';
import { amount, flag, number, open, text, texts, whole } from './checks.ts';
import { entriesOf } from './figures/check.ts';
import { FIGURES } from './figures/figures.ts';
import { missingFigures } from './figures/not-measured.ts';
import { RULES } from './rule.ts';

export const verdict = v.picklist(['pass', 'fail', 'inconclusive']);
export const exitCode = v.picklist([0, 1, 2, 3, 4, 70, 130]);
export const rule = v.picklist(RULES);

/** The knobs of the simulated CPU, as text (arch/cpu-model.ts). */
export const cpu = open({
  bbm: text,
  nt: text,
  multihit: text,
  spec: text,
  hafdbs: text,
  ets: text,
  tlb: whole,
  walkcache: text,
  tlbi: v.optional(text),
  hdbss: v.optional(text),
  bbmid: v.optional(text),
  vmid: v.optional(text),
});

const violation = open({
  rule,
  /** One sentence of why. */
  why: text,
  /** Null where no single vCPU, address or round is concerned. */
  vcpu: v.nullable(whole),
  ipa: v.nullable(text),
  round: v.nullable(whole),
  /** How often this same violation was seen in the run. */
  count: whole,
  /** Sightings by all vCPUs that may be of this rule, where more were counted than kept and judged. */
  seen: v.exactOptional(whole),
  /** The merged table of last events. */
  events: v.array(
    open({
      /** `hypervisor` or `vcpu n`. */
      thread: text,
      /** TLBI generation the thread had seen: orders events of different threads. */
      generation: number,
      sequence: number,
      text,
    }),
  ),
  /** The command that runs the same configuration in the explorer. */
  exploreCommand: text,
});

/** What was measured: rows that agree in all of this measured the same thing. */
const key = {
  scenario: text,
  protocol: text,
  mutant: v.nullable(text),
  /** What a second hypervisor ran at the same entries; absent: there was none. */
  against: v.exactOptional(v.nullable(text)),
  cpu,
  granule: text,
  level: whole,
  vcpus: whole,
  /** True parallelism, or vCPUs that take turns because there are more of them than cores. */
  scheduling: v.picklist(['parallel', 'scheduled']),
  reorder: flag,
  access: text,
  /** Delays put into the protocol, as on the command line (`tlbi=2000,dsb=50`); empty: none. */
  delays: text,
  /** Of a merged result with several machines: index into `merged.machines`. */
  machine: v.exactOptional(whole),
};

const judgement = {
  verdict,
  /** In the default campaign a known broken claim is shown and does not turn the verdict: why. */
  exhibit: v.nullable(text),
  violations: v.array(violation),
  /** What is no violation and still worth knowing of this protocol's steps. */
  notes: texts,
};

const row = open({
  ...key,
  /** How often threads were started anew for it; absent: once. Intervals cover what differs. */
  repeats: v.exactOptional(whole),
  ...entriesOf(FIGURES),
  /** Of figures that are null: name and reason. */
  notMeasured: v.exactOptional(v.record(text, text)),
  ...judgement,
});

/** A null that nobody explains is refused under the figure's name. */
export const stressRun = v.pipe(
  row,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const { path, why } of missingFigures(dataset.value)) {
      if (why !== null) continue;
      const [first, ...others] = path.map((key) => ({
        type: 'object' as const,
        origin: 'value' as const,
        input: dataset.value,
        key,
        value: null,
      }));
      if (first === undefined) continue;
      const message = 'null, and notMeasured does not say why';
      addIssue({ message, input: null, path: [first, ...others] });
    }
  }),
);

/** Proof of this very run that the checker can fail. */
export const control = open({
  name: text,
  rule,
  caught: flag,
  /** The correct twin under the same settings was not accused. */
  twinClean: flag,
  /** Of a missed control without which a run can be judged: what it then has not shown. */
  standsFor: v.exactOptional(text),
  seconds: amount,
  detail: text,
});

/** How far the campaign has come (campaign-state.ts). */
export const campaign = open({
  groups: v.array(
    open({
      label: text,
      /** Rows it has, or will have, in `runs`. */
      rows: whole,
      /**
       * `cut`: interrupted, its rounds count and the others are missing. `died`: a thread of it ended
       * badly, and with the hypervisor's thread what it knew of its rounds. `left-out`: the time was
       * too short for it; it has no rows.
       */
      state: v.picklist(['waiting', 'cut', 'died', 'done', 'left-out']),
      /** The campaign's time that was its share; null where rounds alone end it, or it has none yet. */
      shareMs: v.nullable(amount),
      spentMs: amount,
      /** What its threads had to say, beside its rows. */
      notes: texts,
    }),
  ),
  /** Of the campaign's time what is left for groups; null where rounds alone end it. */
  leftMs: v.nullable(amount),
  /** Protocols' own files, by absolute path. What they import is not looked at. */
  files: v.array(open({ path: text, sha256: text })),
  /** Runs of the program; a campaign that was never resumed has one. */
  parts: v.pipe(
    v.array(
      open({
        startedAt: text,
        elapsedMs: amount,
        /** As it was last written: a part that was killed left what it had between two groups. */
        exitCode,
      }),
    ),
    v.minLength(1),
  ),
  repeats: v.exactOptional(v.array(stressRun)),
});
