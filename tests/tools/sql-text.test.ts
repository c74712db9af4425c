// Holds statement splitting to what PostgreSQL takes for one statement.

import { describe, expect, test } from "bun:test";

import { leavesSessionState, runsAlone, splitStatements } from "#worker/tools/sql-text";

const texts = (sql: string) => splitStatements(sql).map((statement) => statement.text);

describe("splitting", () => {
  test("statements end at semicolons, and empty ones are dropped", () => {
    expect(texts("select 1; select 2;; ;\n select 3")).toEqual([
      "select 1",
      "select 2",
      "select 3",
    ]);
    expect(texts("")).toEqual([]);
    expect(texts(" -- only a comment;\n /* and ; another */ ")).toEqual([]);
  });

  for (const [name, statement] of [
    ["a string", "select 'a;b'"],
    ["a doubled quote", "select 'it''s; fine'"],
    ["a backslash that escapes nothing", String.raw`select 'a\' , 'b;c'`],
    ["an escape string", String.raw`select E'a\';b', e'\\;'`],
    ["a quoted name", 'select 1 as "a;""b;"'],
    ["a dollar quote", "do $$ begin; end; $$"],
    ["a tagged dollar quote", "select $a$ ; $$ ; $b$ ; $a$"],
    ["a line comment", "select 1 -- not; here\n + 2"],
    ["a nested block comment", "select /* a; /* b; */ c; */ 1"],
    ["parentheses", "create rule r as on insert to t do also (insert into a values (1); select 2)"],
    ["a Unicode tag", "select $schlüssel$ ; $schlüssel$"],
    [
      "an atomic body",
      `create or replace function f() returns int
        begin atomic select 1; select case when true then 2 end; end`,
    ],
  ] as const) {
    test(`${name} keeps its semicolons`, () => {
      expect(texts(`${statement}; select 2`)).toEqual([statement, "select 2"]);
    });
  }

  test("a dollar inside a name and a parameter open no quote", () => {
    expect(texts("select a$b$ from t; select $1; select $2")).toEqual([
      "select a$b$ from t",
      "select $1",
      "select $2",
    ]);
  });

  test("a name that ends in e opens no escape string", () => {
    expect(texts(String.raw`select date'a\'; select 2`)).toEqual([
      String.raw`select date'a\'`,
      "select 2",
    ]);
  });

  test("BEGIN of a transaction opens no body", () => {
    expect(texts("begin; select 1; end; select 2")).toHaveLength(4);
  });

  test("what never ends is one statement, for the server to refuse", () => {
    for (const sql of ["select 'a; b", 'select "a; b', "select $$ a; b", "select 1 /* a; b"]) {
      expect(texts(sql)).toHaveLength(1);
    }
  });

  test("a long text of quotes is split in linear time", () => {
    const many = "insert into t values ('a;b', $$;$$, \"c;d\"); ".repeat(20_000);
    expect(splitStatements(many)).toHaveLength(20_000);
  });
});

describe("what a statement needs", () => {
  const only = (sql: string) => {
    const [statement] = splitStatements(sql);
    if (statement === undefined) throw new Error("expected a statement");
    return statement;
  };

  test("statements that no transaction may hold run alone", () => {
    for (const sql of [
      "vacuum analyze t",
      "CALL p()",
      "begin",
      "START TRANSACTION",
      "commit",
      "rollback",
      "create unique index concurrently i on t (a)",
      "drop index concurrently i",
      "reindex (verbose) table concurrently t",
      "create database d",
      "alter system set a = 1",
      "/* c */ -- d\n vacuum",
    ]) {
      expect({ sql, alone: runsAlone(only(sql)) }).toEqual({ sql, alone: true });
    }
  });

  test("everything else shares a transaction", () => {
    for (const sql of [
      "select 1",
      "create index i on t (a)",
      "insert into t values ('commit')",
      "rollback to savepoint a",
      "savepoint a",
      "create table vacuum (a int)",
    ]) {
      expect({ sql, alone: runsAlone(only(sql)) }).toEqual({ sql, alone: false });
    }
  });

  test("statements that leave something in their session are known", () => {
    for (const sql of [
      "set search_path = a",
      "create temp table t (a int)",
      "listen c",
      "select set_config('a.b', 'c', false)",
      "select pg_advisory_lock(1)",
      "do $$ begin end $$",
    ]) {
      expect({ sql, state: leavesSessionState(only(sql)) }).toEqual({ sql, state: true });
    }
    for (const sql of ["set local search_path = a", "update t set a = 1", "select 1"]) {
      expect({ sql, state: leavesSessionState(only(sql)) }).toEqual({ sql, state: false });
    }
  });
});
