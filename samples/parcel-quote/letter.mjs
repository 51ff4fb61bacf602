// Writes the offer: a Lambda handler in Node.

const money = (cents) => new Intl.NumberFormat("en-IE", { style: "currency", currency: "EUR" }).format(cents / 100);

export const handler = async ({ customer, quotes, refused }) => {
  const total = quotes.reduce((sum, quote) => sum + quote.cents, 0);
  const lines = quotes.map((quote) => `  ${quote.id}: ${money(quote.cents)} (${quote.kg} kg, ${quote.zone})`);
  const regrets = refused.map((parcel) => `  ${parcel.id}: we cannot take it (${parcel.reason})`);
  console.log(`${customer.name}: ${quotes.length} offered, ${refused.length} refused`);
  return { totalCents: total, letter: [`Dear ${customer.name},`, ...lines, ...regrets, `Total: ${money(total)}`] };
};
