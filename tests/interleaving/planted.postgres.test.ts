// The suite itself on trial: production statements with one thing left out, each of which must be
// noticed by a meeting of two operations that the table speaks of.
import { afterEach, describe, expect, test } from "bun:test";
import { crossing, stoppedAt, threeAtOnce } from "./held.ts";
import { type Act, beginnings } from "./model.ts";
import type { PlaceAct } from "./places.ts";
import { placeDifferences } from "./places-steps.ts";
import { type Planted, stage } from "./sessions.ts";
import { differences } from "./steps.ts";

interface Mistake {
  readonly what: string;
  readonly left: string;
  readonly put: string;
  readonly noticedBy: readonly [Act, Act];
}

const mistakes: readonly Mistake[] = [
  {
    what: "appends that don't compare the head",
    left: "\n    and x.head = (select expected from wanted)",
    put: "",
    noticedBy: ["settle", "cancel"],
  },
  {
    what: "refused appends that remove a row all the same",
    left: "delete from noetl.command c using accepted\n",
    put: "delete from noetl.command c\n",
    noticedBy: ["reissue", "settle"],
  },
  {
    what: "renewals of another attempt's lease",
    left: " and c.attempt = a.attempt",
    put: "",
    noticedBy: ["due", "renew"],
  },
  {
    what: "renewals that take a settled command for a lost lease",
    left: "\nwhere m.command_id is null or f.command_id is not null",
    put: "",
    noticedBy: ["settle", "renew"],
  },
  {
    what: "leases that anybody may give back",
    left: "c.status = 'leased' and c.worker = $1::text and c.attempt",
    put: "c.status = 'leased' and c.attempt",
    noticedBy: ["claim", "release"],
  },
  {
    what: "sweeps that take what somebody else is just changing",
    left: "limit $1::integer for update skip locked),\nagain",
    put: "limit $1::integer for update),\nagain",
    noticedBy: ["renew", "sweep"],
  },
  {
    what: "sweeps that don't wait for each other's locks at all",
    left: "limit $1::integer for update skip locked),\nagain",
    put: "limit $1::integer),\nagain",
    noticedBy: ["settle", "sweep"],
  },
  {
    what: "repairs that don't ask for the head",
    left: "where x.head = w.found_head and x.digest = decode(w.found_digest, 'hex') for update",
    put: "for update",
    noticedBy: ["settle", "repair"],
  },
  {
    what: "hand-overs that are found again by anybody",
    left: "c.handed and c.worker = $1::text",
    put: "c.handed",
    noticedBy: ["claim", "handed"],
  },
];

/** Of appends of several executions. */
const mistakesInCompany: readonly Mistake[] = [
  {
    what: "appends that don't lock the heads which they compare",
    left: "order by x.execution_id for update of x),\nmoved",
    put: "order by x.execution_id),\nmoved",
    noticedBy: ["settle", "cancel"],
  },
  {
    what: "refused appends that remove rows all the same",
    left: "\n  join accepted a on a.execution_id = s.by_id",
    put: "",
    noticedBy: ["reissue", "settle"],
  },
];

/** Of what stands in the database itself. */
const functions: readonly (Omit<Mistake, "noticedBy"> & {
  readonly name: string;
  readonly noticedBy: readonly [PlaceAct, PlaceAct];
})[] = [
  {
    what: "rules that don't hold leases off while they count",
    name: "noetl.put_rule",
    left: "lock table noetl.rule in access exclusive mode;",
    put: "",
    noticedBy: ["hand-over", "put 3"],
  },
  {
    what: "places that two claims may have at once",
    name: "noetl.free_places",
    left: "limit room for update of s skip locked)",
    put: "limit room)",
    noticedBy: ["claim", "claim"],
  },
];

let mistake: Mistake | undefined;
let isPlanted = false;
const planted: Planted = (sql) => ({
  ...sql,
  query: (text, values) => {
    const changed = mistake === undefined ? text : text.replace(mistake.left, mistake.put);
    isPlanted ||= changed !== text;
    return sql.query(changed, values);
  },
});
const on = stage({ planted });
const inCompany = stage({ planted, inCompany: true });
afterEach(() => {
  mistake = undefined;
  isPlanted = false;
});

describe("a mistake is noticed:", () => {
  for (const one of mistakes) {
    test(one.what, async () => {
      mistake = one;
      const found = await differences(on(), one.noticedBy, beginnings);
      expect(isPlanted).toBe(true);
      expect(found).not.toEqual([]);
    });
  }

  for (const one of mistakesInCompany) {
    test(`${one.what}, in company`, async () => {
      mistake = one;
      const found = await differences(inCompany(), one.noticedBy, beginnings);
      expect(isPlanted).toBe(true);
      expect(found).not.toEqual([]);
    });
  }

  for (const { what, name, left, put, noticedBy } of functions) {
    test(what, async () => {
      const { sql } = on().watch;
      const [record] = await sql.query<{ text: string }>(
        "select pg_get_functiondef($1::text::regproc) as text",
        [name],
      );
      const text = record?.text ?? "";
      expect(text).toContain(left);
      await sql.query(text.replace(left, put));
      const found = await placeDifferences(on(), noticedBy);
      await sql.query(text);
      expect(found).not.toEqual([]);
    });
  }

  for (const [what, left, put] of [
    ["hand-overs that ask no rule", "where i.worker is not null)", "where false)"],
    ["hand-overs that don't ask whether there is a rule", "when ruled.has_rules", "when false"],
  ] as const) {
    test(what, async () => {
      mistake = { what, left, put, noticedBy: ["claim", "settle"] };
      const found = await placeDifferences(on(), ["put 1", "hand-over"]);
      expect(isPlanted).toBe(true);
      expect(found).not.toEqual([]);
    });
  }

  test("appends that don't compare, stopped at a row and among three", async () => {
    mistake = mistakes[0];
    const stopped = await stoppedAt(on(), "command", ["settle", "cancel"], "leased");
    expect(isPlanted).toBe(true);
    expect(stopped).not.toEqual([]);
    expect(await threeAtOnce(on(), ["settle", "cancel", "renew"], "late")).not.toEqual([]);
  });

  test("rows that are replaced without being locked in order", async () => {
    mistake = {
      what: "",
      left: "where (select count(*) from found) >= 0",
      put: "",
      noticedBy: ["renew", "park"],
    };
    const order = { first: "up", second: "down", held: 0 } as const;
    const found = await crossing(on(), mistake.noticedBy, order);
    expect(isPlanted).toBe(true);
    expect(found.join("\n")).toContain("40P01");
  });
});
