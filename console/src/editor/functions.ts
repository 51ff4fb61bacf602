/**
 * The functions of both languages, for completion. Source: JSONata 2.0.6, Step Functions guide. That none is missing is
 * held against the server's own tables (`complete.test.ts`).
 */
export interface FunctionHint {
  name: string;
  /** Its arguments as they are called, those that may be missing in brackets. */
  signature: string;
  says: string;
}

const hints = (lines: string): FunctionHint[] =>
  lines
    .trim()
    .split("\n")
    .map((line) => {
      const [call = "", says = ""] = line.trim().split(" — ");
      const open = call.indexOf("(");
      return { name: call.slice(0, open), signature: call.slice(open), says };
    });

export const JSONATA_FUNCTIONS = hints(`
$sum(numbers) — The sum of the numbers
$count(array) — How many items there are
$max(numbers) — The largest number
$min(numbers) — The smallest number
$average(numbers) — The mean of the numbers
$string(value, [pretty]) — The value as text
$substring(text, start, [length]) — A part of a text
$substringBefore(text, mark) — What is before the mark
$substringAfter(text, mark) — What is after the mark
$lowercase(text) — In small letters
$uppercase(text) — In capital letters
$length(text) — How many characters it has
$trim(text) — Without blanks around it, and single ones within
$pad(text, width, [filler]) — Made wider, at the left if the width is negative
$join(texts, [separator]) — The texts as one
$match(text, pattern, [limit]) — All matches of a regular expression
$contains(text, pattern) — Whether the pattern is in the text
$replace(text, pattern, replacement, [limit]) — With the matches replaced
$split(text, separator, [limit]) — The parts of a text
$formatNumber(number, picture, [options]) — A number in a picture such as '#,##0.00'
$formatBase(number, [base]) — A whole number to another base
$formatInteger(number, picture) — A whole number in words or a picture
$parseInteger(text, picture) — A whole number from words or a picture
$number(value) — The value as a number
$floor(number) — Rounded down
$ceil(number) — Rounded up
$round(number, [precision]) — Rounded, half to even
$abs(number) — Without its sign
$sqrt(number) — The square root
$power(base, exponent) — The base to a power
$boolean(value) — The value as true or false
$not(value) — The opposite
$map(array, function) — What the function gives for each item
$filter(array, function) — The items for which it is true
$single(array, [function]) — The one item for which it is true
$reduce(array, function, [start]) — All items folded into one
$sift(object, function) — The members for which it is true
$each(object, function) — What the function gives for each member
$sort(array, [function]) — In order
$zip(array, [more]) — The first items together, the second ones…
$append(first, second) — Both arrays as one
$reverse(array) — From the last to the first
$shuffle(array) — In any order
$distinct(array) — Each item once
$keys(object) — The names of the members
$lookup(object, name) — The member of that name
$exists(value) — Whether there is a value
$spread(object) — One object for each member
$merge(objects) — All members in one object
$type(value) — The name of its type
$clone(value) — A copy
$error([message]) — Fails with this message
$assert(condition, [message]) — Fails unless the condition is true
$base64encode(text) — In Base64
$base64decode(text) — From Base64
$encodeUrlComponent(text) — Escaped as a part of a URL
$encodeUrl(text) — Escaped as a URL
$decodeUrlComponent(text) — From a part of a URL
$decodeUrl(text) — From a URL
$toMillis(timestamp, [picture]) — Milliseconds since 1970
$fromMillis(number, [picture], [timezone]) — A timestamp
$now([picture], [timezone]) — The time now
$millis() — Milliseconds since 1970, now
$partition(array, size) — Arrays of that size
$range(first, last, step) — Numbers from first to last
$hash(value, algorithm) — A digest such as 'SHA-256'
$random([seed]) — A number from 0 up to 1
$uuid() — A random UUID
$parse(text) — JSON text as a value
`);

export const INTRINSIC_FUNCTIONS = hints(`
States.Array(values…) — An array of the arguments
States.ArrayContains(array, value) — Whether the value is in the array
States.ArrayGetItem(array, index) — The item at that place
States.ArrayLength(array) — How many items there are
States.ArrayPartition(array, size) — Arrays of that size
States.ArrayRange(first, last, step) — Numbers from first to last
States.ArrayUnique(array) — Each item once
States.Base64Decode(text) — From Base64
States.Base64Encode(text) — In Base64
States.Format(template, values…) — The template with {} replaced
States.Hash(value, algorithm) — A digest such as 'SHA-256'
States.JsonMerge(first, second, false) — The members of both objects
States.JsonToString(value) — JSON as text
States.MathAdd(number, number) — The sum
States.MathRandom(from, to, [seed]) — A whole number in between
States.StringSplit(text, separators) — The parts of a text
States.StringToJson(text) — JSON text as a value
States.UUID() — A random UUID
`);
