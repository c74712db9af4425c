// The shop's data: customers, products and orders, the same at every start. Money is in cents,
// so that sums are exact. Nothing here is random: a seeded sequence picks.

export interface Customer {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly country: string;
}

export interface Product {
  readonly id: number;
  readonly name: string;
  readonly category: string;
  readonly price_cents: number;
}

export interface OrderLine {
  readonly product_id: number;
  readonly quantity: number;
  readonly price_cents: number;
}

export interface Order {
  readonly id: number;
  readonly customer_id: number;
  readonly placed_on: string;
  readonly status: string;
  readonly lines: readonly OrderLine[];
  readonly total_cents: number;
}

export interface Shop {
  readonly customers: readonly Customer[];
  readonly products: readonly Product[];
  readonly orders: readonly Order[];
}

const customersCount = 20;
const ordersCount = 95;
const seed = 20_260_101;

const givenNames = ["Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "John", "Karen"];
const familyNames = ["Berg", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haas"];
const countries = ["AT", "DE", "ES", "FR", "IT", "PT"];
const statuses = ["paid", "paid", "paid", "open", "returned"];
const goods: Readonly<Record<string, readonly string[]>> = {
  kitchen: ["kettle", "pan", "grater", "whisk"],
  garden: ["rake", "spade", "hose", "trowel"],
  office: ["lamp", "stapler", "notebook", "chair"],
};

/** A linear congruential sequence: whole numbers from 0 to `bound` - 1, always the same ones. */
function sequence(start: number): (bound: number) => number {
  let state = start >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a sequence have short cycles; the high ones pick.
    return Math.floor((state / 2 ** 32) * bound);
  };
}

export function makeShop(): Shop {
  const next = sequence(seed);
  const pick = <Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item => {
    const item = items[next(items.length)];
    if (item === undefined) throw new Error("expected a list with items, found an empty one");
    return item;
  };
  const customers = numbered(customersCount, (id): Customer => {
    const name = `${pick(givenNames)} ${pick(familyNames)}`;
    const email = `${name.toLowerCase().replace(" ", ".")}.${id}@example.org`;
    return { id, name, email, country: pick(countries) };
  });
  const products = Object.entries(goods)
    .flatMap(([category, names]) => names.map((name) => ({ name, category })))
    .map((good, index): Product => ({ id: index + 1, ...good, price_cents: 250 + next(60) * 50 }));
  const orders = numbered(ordersCount, (number): Order => {
    const lines = numbered(1 + next(3), (): OrderLine => {
      const { id, price_cents } = pick(products);
      return { product_id: id, quantity: 1 + next(4), price_cents };
    });
    return {
      id: 1_000 + number,
      customer_id: pick(customers).id,
      placed_on: `2026-01-${String(1 + next(31)).padStart(2, "0")}`,
      status: pick(statuses),
      lines,
      total_cents: lines.reduce((sum, line) => sum + line.quantity * line.price_cents, 0),
    };
  });
  return { customers, products, orders };
}

/** Makes so many things, numbered from 1. */
function numbered<Thing>(count: number, make: (id: number) => Thing): readonly Thing[] {
  return Array.from({ length: count }, (_, index) => make(index + 1));
}
