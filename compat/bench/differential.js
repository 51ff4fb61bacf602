// Writes test cases in the form of JSONata's official suite: generated expressions, each with what the npm package makes
// of it. `compat/differential_jsonata` judges them. Arguments: seed, count, file.
//
// Expectations are those of 2.0.6, the version that AWS states, where 2.2.2 agrees: where it does not, it repaired
// something. Left out besides is what JSON cannot say (NaN, functions) and what fails as JavaScript, without a code.
import { writeFileSync } from 'node:fs';
import jsonata from 'jsonata';
import newer from 'jsonata-newer';

const [seed, count, file] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];

// Mulberry32: the same numbers for the same seed, on every machine.
let state = seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit) => Math.floor(random() * limit);
const one = (choices) => choices[below(choices.length)];
const maybe = (chance) => random() < chance;

const document = {
  name: 'Ada Lovelace', n: 3, half: 2.5, neg: -7, zero: 0, yes: true, no: false, none: null, empty: [], hollow: {}, text: 'a-b_c, d',
  tags: ['x', 'y', 'x', 'z'], nums: [5, 3, 8, 3, -1], mixed: [1, 'a', null, true, [2, [3]], { n: 4 }], deep: [[1, 2], [3, [4, 5]]],
  order: { id: 'o-1', total: 312.45, lines: [{ sku: 'k1', price: 34.9, qty: 1 }, { sku: 'm2', price: 7.5, qty: 6 }] },
  one: [{ price: 7, tags: ['q'] }], pairs: [{ k: 'a', v: 1 }, { k: 'b', v: 2 }, { k: 'a', v: 3 }],
  items: [
    { sku: 'k1', cat: 'kitchen', price: 34.9, qty: 1, tags: ['red', 'new'], dim: { w: 3, h: 2 } },
    { sku: 'm2', cat: 'kitchen', price: 7.5, qty: 6, tags: [], dim: { w: 1, h: 1 } },
    { sku: 'd3', cat: 'office', price: 49, qty: 1, tags: ['old'], dim: { w: 4 } },
    { sku: 'n4', cat: 'office', price: 3.2, qty: 10, tags: ['red'] },
  ],
};

const numbers = ['n', 'half', 'neg', 'zero', '1', '2', '0', '-1', '3.5', '10', '1e3', '0.1', 'order.total', 'items[0].price', '$count(items)', 'nums[1]'];
const texts = ['name', 'text', '"a"', '"b c"', "'x-y-z'", '""', 'order.id', 'items[1].sku', 'tags[0]', '"ABC"', '"été ☕"', '"😀ab"', '" a  b "', '"12"', '"-3.5"'];
const bools = ['yes', 'no', 'true', 'false', 'n > 2', 'zero = 0', '"a" in tags', 'yes and no', 'no or yes'];
const arrays = ['tags', 'nums', 'mixed', 'deep', 'empty', 'items', 'one', 'pairs', '[1, 2, 3]', '[1..4]', '["b", "a"]', '[]', 'items.price', 'items.tags', 'items.sku', 'order.lines', '[[1], [2]]', 'pairs.v'];
const objects = ['order', 'hollow', 'items[0]', '{"a": 1, "b": [2]}', '{}', 'one[0]', 'items[2].dim', '{"x": {"y": 1}}', 'pairs[0]'];
const others = ['missing', 'none', 'null', '$', '$$', 'missing.more', 'mixed', '*', '**', '$sum', 'function($v) { $v }'];
const names = ['price', 'qty', 'sku', 'tags', 'dim', 'cat', 'w', 'v', 'k', 'missing', 'n', 'lines', 'items', 'order', 'name', '*', '**', 'dim.w'];
const regexes = ['/a/', '/[a-c]+/', '/b|x/i', '/(\\w)(\\W)/', '/\\d+/', '/(a)|(b)/', '/^./', '/.$/', '/\\s+/', '/([a-z])-([a-z])/', '/(?:a|b)*c/', '/[^a-z]/', '/(?=b)./', '/x*/', '/\\b\\w/', '/(.)\\1/', '/[\\w.]+?[,-]/m', '/A/i', '/\\u00e9/'];
const pictures = ['"#,##0.00"', '"0"', '"000"', '"#.##"', '"#,###"', '"0.0e0"', '"00%"', '"#0.#;(#0.#)"', '"[#]"', '"0,0"', '"#"', '".00"', '"##,##,##0"', '"0.000,0"', '"x0y"', '"0‰"', '"##0.0#e00"', '"a"', '"0.0.0"', '";"', '"0;0;0"', '"#0#"', '"€#,##0"'];
const integers = ['"w"', '"W"', '"Ww"', '"w;o"', '"Ww;o"', '"I"', '"i"', '"A"', '"a"', '"1"', '"001"', '"#,##0"', '"1;o"', '"٠٠١"', '"0,000"', '"#:000"', '"0;c"', '"?"'];
const wholes = ['0', '1', '4', '12', '13', '19', '21', '40', '99', '100', '101', '111', '999', '1000', '1001', '1999', '2024', '12345', '1000000', '1234567', '-5', '-1234', '3.7', '1e9', '1234567890123'];
const stamps = ['0', '1', '1521801216617', '-1', '951782400000', '1e12', '1609459199999', '1104537600000', '1230768000000', '-62135596800000', '253402300799999', '1582934400000', '86399999'];
const dates = ['"[Y]-[M]-[D]"', '"[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001]Z"', '"[D1o] [MNn] [Y]"', '"[FNn], [D] [MNn,*-3] [Y]"', '"[h]:[m] [P]"', '"[h01]:[m01] [PN]"', '"[d] [W] [w] [X] [x] [F1]"', '"[Yw] [MW] [DWw;o]"', '"[YI] [Mi] [Da]"', '"[[x]] [Y,2-2]"', '"[Z] [z] [Z0101t] [Z01:01] [z0]"', '"[E] [C]"', '"[q]"', '"[Y"', '"[H]h[m]m[s]s"', '"[DW] of [MNn]"', '"[Y9,999,*]"', '"[FN,*-3] [xNn]"', '"[dwo]"', '"[D#1]"', '"[f1] [f001]"'];
const zones = ['"+0000"', '"-0500"', '"+0530"', '"+1400"', '"0100"'];
const moments = [['"2018-03-27"', '"[Y]-[M]-[D]"'], ['"27th March 2018"', '"[D1o] [MNn] [Y]"'], ['"20180327"', '"[Y0001][M01][D01]"'], ['"3:05 pm"', '"[h]:[m] [P]"'], ['"2018-03-27T10:20:30.123Z"', 'missing'], ['"2018"', 'missing'], ['"2018-02"', 'missing'], ['"2018-03-27T10:20:30+05:30"', 'missing'], ['"2018-03-27T10:20:30.5-0100"', 'missing'], ['"hello"', 'missing'], ['"2018-13-01"', 'missing'], ['"2018-094"', '"[Y]-[d]"'], ['"MMXVIII"', '"[YI]"'], ['"two thousand and eighteen"', '"[Yw]"'], ['"Tuesday 27 Mar 2018"', '"[FNn] [D] [MNn,3-3] [Y]"'], ['"10:20:30"', '"[H]:[m]"'], ['"2018-27"', '"[Y]-[D]"'], ['"2018-03-27 10:20 GMT+02:00"', '"[Y]-[M]-[D] [H]:[m] [z]"'], ['"2018-03-27 +0100"', '"[Y]-[M]-[D] [Z0001]"'], ['"12:30 am 1/2/2019"', '"[h]:[m] [P] [D]/[M]/[Y]"'], ['"2019-W12-3"', '"[X]-W[W]-[F]"']];

const functions = ['function($v) { $v }', 'function($v, $i) { [$v, $i] }', 'function($v) { $v > 2 }', 'function($v) { $type($v) }', '$string', '$boolean', '$count', 'function($v, $i, $a) { $count($a) - $i }', '$type', '$exists', 'function() { 1 }', '$sum(?)', 'function($v) { $v.price }', '$uppercase'];
const value = (depth) => one([number, text, bool, array, object, other, array, any])(depth);
const any = (depth) => (depth <= 0 ? one([...numbers, ...texts, ...bools, ...arrays, ...objects, ...others]) : one(shapes)(depth - 1));
const number = (depth) => (depth <= 0 || maybe(0.4) ? one(numbers) : one([
  (d) => `(${number(d)} ${one(['+', '-', '*', '/', '%'])} ${number(d)})`, (d) => `-${number(d)}`, (d) => `$${one(['abs', 'floor', 'ceil', 'round', 'sqrt'])}(${number(d)})`,
  (d) => `$round(${number(d)}, ${one(['0', '1', '2', '-1', '3'])})`, (d) => `$power(${number(d)}, ${one(['0', '1', '2', '0.5', '-1'])})`, (d) => `$${one(['sum', 'max', 'min', 'average', 'count'])}(${array(d)})`,
  (d) => `$number(${text(d)})`, (d) => `$length(${text(d)})`, (d) => `$parseInteger(${one(['"12"', '"XIV"', '"twelve"', '"one hundred and five"', '"1,234"', '"21st"', '"aa"', '"two million, three"'])}, ${one(integers)})`,
])(depth - 1));
const text = (depth) => (depth <= 0 || maybe(0.4) ? one(texts) : one([
  (d) => `(${value(d)} & ${value(d)})`, (d) => `$${one(['uppercase', 'lowercase', 'trim', 'base64encode', 'encodeUrl', 'encodeUrlComponent', 'string'])}(${text(d)})`, (d) => `$string(${value(d)}${maybe(0.2) ? ', true' : ''})`,
  (d) => `$substring(${text(d)}, ${one(['0', '1', '-2', '2', '1.5', '9'])}${maybe(0.5) ? `, ${one(['1', '2', '0', '-1', '2.5'])}` : ''})`, (d) => `$substring${one(['Before', 'After'])}(${text(d)}, ${one(['"a"', '"-"', '""', '"zz"'])})`,
  (d) => `$pad(${text(d)}, ${one(['5', '-5', '0', '12', '-9'])}${maybe(0.5) ? ', "*-"' : ''})`, (d) => `$join(${one(['tags', '["a", "b"]', '"solo"', 'items.sku', array(d)])}, ${one(['","', '""', '" - "'])})`,
  (d) => `$replace(${text(d)}, ${one([...regexes, '"a"', '"-"', '""'])}, ${one(['"X"', '"$1"', '"<$0>"', '"$$"', '"$2-$1"', '"$x"', '"$12"', 'function($m) { $uppercase($m.match) }', 'function($m) { $string($m.groups) }'])}${maybe(0.2) ? `, ${one(['0', '1', '2', '-1'])}` : ''})`,
  () => `$formatNumber(${one(['0', '1', '-1', '1234.5678', '0.005', '-0.126', '1e6', '12345678.9', '0.5', '42'])}, ${one(pictures)}${maybe(0.15) ? ', {"decimal-separator": ",", "grouping-separator": "."}' : ''})`,
  () => `$formatInteger(${one(wholes)}, ${one(integers)})`, () => `$formatBase(${one(wholes)}, ${one(['2', '16', '36', '10', '1', '37', '8'])})`,
  () => `$fromMillis(${one(stamps)}${maybe(0.8) ? `, ${one(dates)}${maybe(0.4) ? `, ${one(zones)}` : ''}` : ''})`, () => `$string($toMillis(${one(moments).join(', ').replace(', missing', '')}))`, (d) => `$type(${value(d)})`,
  (d) => `$decodeUrl(${one(['"a%20b"', '"%E9"', '"%2Fx%C3%A9"', text(d)])})`, () => `$base64decode(${one(['"YWJj"', '"4pji"', '"YQ=="', '"YQ"'])})`,
])(depth - 1));
const bool = (depth) => (depth <= 0 || maybe(0.3) ? one(bools) : one([
  (d) => `(${value(d)} ${one(['=', '!='])} ${value(d)})`, (d) => `(${one([number, text, value])(d)} ${one(['<', '<=', '>', '>='])} ${one([number, text, value])(d)})`, (d) => `(${value(d)} in ${array(d)})`, (d) => `$${one(['boolean', 'not', 'exists'])}(${value(d)})`,
  (d) => `(${value(d)} ${one(['and', 'or'])} ${value(d)})`, (d) => `$contains(${text(d)}, ${one([...regexes, '"a"', '"b"'])})`,
])(depth - 1));
const array = (depth) => (depth <= 0 || maybe(0.3) ? one(arrays) : one([
  (d) => `[${value(d)}, ${value(d)}]`, (d) => `[${value(d)}]`, (d) => `$append(${value(d)}, ${value(d)})`, (d) => `$${one(['reverse', 'sort', 'distinct', 'keys', 'spread'])}(${array(d)})`, (d) => `$zip(${array(d)}, ${array(d)})`,
  (d) => `$map(${array(d)}, ${one(functions)})`, (d) => `$filter(${array(d)}, ${one(functions)})`, (d) => `$split(${text(d)}, ${one([...regexes, '" "', '"-"', '""', '","'])}${maybe(0.2) ? ', 2' : ''})`, (d) => `$match(${text(d)}, ${one(regexes)}${maybe(0.2) ? ', 1' : ''})`,
  (d) => `${array(d)}[${one(['0', '-1', '1', '[0, 1]', '[0..1]', '$ > 2', 'price > 5', '$type($) = "string"', '5', 'qty', bool(d)])}]`, (d) => `${array(d)}[]`, (d) => `$sort(${array(d)}, function($a, $b) { ${one(['$a > $b', '$a.price > $b.price', '$string($a) < $string($b)', 'false', 'true'])} })`,
  (d) => `$lookup(${value(d)}, "${one(names.slice(0, 8))}")`, (d) => `$each(${object(d)}, ${one(['function($v, $k) { $k }', '$string', 'function($v) { $v }', 'function($v, $k, $o) { $count($keys($o)) }'])})`,
])(depth - 1));
const object = (depth) => (depth <= 0 || maybe(0.3) ? one(objects) : one([
  (d) => `{"a": ${value(d)}, "b": ${value(d)}}`, (d) => `{${text(d)}: ${value(d)}}`, (d) => `$merge([${object(d)}, ${object(d)}])`, (d) => `$sift(${object(d)}, ${one(functions)})`, (d) => `(${object(d)} ~> |${one(['$', '*', 'dim', 'lines', '**'])}|${one(['{"z": 1}', '{"price": 0, "w": $}', '{"n": $count($keys($))}'])}${maybe(0.3) ? `, ${one(['"price"', '["sku", "qty"]'])}` : ''}|)`,
  (d) => `${one(['items', 'pairs', 'order.lines'])}{${one(['sku', 'cat', 'k', '"all"', '$string(qty)'])}: ${one(['$', 'price', '$sum(price)', 'v', '$count($)', 'tags', value(d)])}}`,
])(depth - 1));
const other = () => one(others);
const source = (depth) => one([array, object, () => one(['items', 'order', 'pairs', 'one', '$', '(items)', 'items[price > 5]', 'order.lines'])])(depth);
const shapes = [
  (d) => `${source(d)}.${one(names)}`, (d) => `${source(d)}.${one(names)}.${one(names)}`, (d) => `${source(d)}.(${value(d)})`, (d) => `${source(d)}.[${one(names)}${maybe(0.5) ? `, ${one(names)}` : ''}]`, (d) => `${source(d)}.{"k": ${one(names)}}`,
  (d) => `${source(d)}.${one(names)}[${one(['0', '-1', 'w > 1', '$ > 2', '[0,1]'])}]`, (d) => `${source(d)}^(${one(['', '<', '>'])}${one(['price', 'qty', 'sku', '$', 'k', 'dim.w', 'cat'])}${maybe(0.4) ? `, ${one(['', '>'])}${one(['qty', 'sku', 'v'])}` : ''})${maybe(0.5) ? `.${one(names)}` : ''}`,
  (d) => `${source(d)}#$i.{"i": $i, "v": ${one(names)}}`, (d) => `${source(d)}#$i[$i ${one(['=', '<', '>'])} ${below(3)}]${maybe(0.5) ? `.${one(names)}` : ''}`, () => `items@$x.pairs@$y[$y.v = $x.qty].{"x": $x.sku, "y": $y.k}`, () => `items@$x#$i.order.lines[sku = $x.sku].{"i": $i, "p": ${one(['price', '$x.price', '%.id', '%'])}}`,
  () => `items.${one(['tags', 'dim', 'price', 'dim.w', '*'])}.{"t": $, "s": %.sku}`, () => `order.lines.{"sku": sku, "of": %.id}`, () => `items.dim.w[%.%.price > 5]`, () => `order.lines[%.total > ${one(['1', '999'])}].sku`, () => `items.tags.%.sku`, () => `(items.dim).%.sku`, () => `items^(%.n, price).sku`,
  (d) => `${value(d)} ? ${value(d)} : ${value(d)}`, (d) => `(${value(d)} ? ${value(d)})`, (d) => `($x := ${value(d)}; $y := [$x]; ${one(['$x', '$y', '[$x, $y]', '$count($y)', '$x.price', '($x := 1; $x) & $x', '$map($y, function($v) { $v = $x })'])})`, (d) => `(${value(d)}; ${value(d)})`,
  (d) => `(${array(d)} ~> ${one(['$count', '$sum()', '$map(function($v) { $v })', '$filter($boolean)', '$reverse() ~> $count', '$distinct()'])})`, (d) => `(function($a, $b) { ${one(['$a', '$b', '[$a, $b]', '$a & $b', '$a + $b'])} })(${value(d)}${maybe(0.7) ? `, ${value(d)}` : ''})`, (d) => `function($s)${one(['<s:s>', '<n-:n>', '<a<n>:n>', '<s-n?:s>', '<(sn):x>', '<x?:x>', '<o:o>', '<j-:j>', '<a:a>', '<f:x>', '<b+:x>', '<s<n>:s>'])} { $s }(${value(d)})`,
  (d) => `$reduce(${array(d)}, function($p, $c${maybe(0.3) ? ', $i' : ''}) { ${one(['$p + $c', '$p & $c', '[$p, $c]', '$append($p, $c)', '$c'])} }${maybe(0.3) ? `, ${value(d)}` : ''})`, (d) => `$single(${array(d)}, ${one(functions)})`, (d) => `$assert(${bool(d)}, "failed")`, (d) => `$error(${text(d)})`, (d) => `(${value(d)}).${one(names)}[]`, (d) => `$clone(${one([array, object])(d)})`,
  (d) => `$${one(['sum', 'count', 'string', 'uppercase', 'keys', 'number', 'length', 'boolean', 'merge', 'reverse', 'sort', 'max', 'trim', 'type', 'exists', 'spread', 'floor', 'zip', 'shuffle', 'not'])}(${value(d)}${maybe(0.2) ? `, ${value(d)}` : ''})`, (d) => `${value(d)}.$${one(['string', 'count', 'sum', 'keys', 'uppercase', 'length', 'type', 'boolean', 'exists', 'number', 'abs'])}(${maybe(0.5) ? '$' : ''})`, (d) => `($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(${one(['0', '3', '5', number(d)])}))`, () => one(['order.', 'items[', '1 +', '$sum(', '(', '"abc', 'a b', '@', 'items@x', '[1,,2]', '{"a"}', 'x := 1', '1.a', '"\\q"', '5 ~> 3', 'sum(1)', '$nope()', 'nums.%', '%', 'items{sku: price}{sku: 1}', 'items{sku: price}[0]', 'items[0]@$x', 'items^(price)@$x', 'function(a) { a }', '/a', '//', '`x', '/* a', '$f(?)', 'sum(?)', '{"a": 1, "a": 2}', '{n: 1}', '"a" + 1', '-"a"', '1 < "a"', '[1.."a"]', '[1.5..2]', 'items^(dim)', 'mixed^($)', 'nums ~> |$|1|', 'order ~> |$|{}, 1|', '$single([1, 2])', '$toMillis("x")', '$number("x")', '$sqrt(-1)', '$power(10, 999)', '$match("a", /a/, -1)', '1 / 0 & ""', '$reduce([1], function() { 1 })']),
];

const isPlain = (item) => item === null || typeof item === 'string' || typeof item === 'boolean' || (typeof item === 'number' && Number.isFinite(item))
  || (Array.isArray(item) ? item.every(isPlain) : typeof item === 'object' && !item._jsonata_function && !item._jsonata_lambda && Object.values(item).every(isPlain));

async function outcome(engine, expr) {
  try {
    const result = await engine(expr).evaluate(structuredClone(document));
    if (result === undefined || typeof result === 'function') return { undefinedResult: true };
    if (typeof result === 'object' && result !== null && (result._jsonata_function || result._jsonata_lambda)) return { undefinedResult: true };
    return isPlain(result) ? { result: JSON.parse(JSON.stringify(result)) } : undefined;
  } catch (error) {
    return typeof error.code === 'string' && /^[STDU]\d{4}$/.test(error.code) ? { code: error.code } : undefined;
  }
}

const lines = [];
for (let made = 0; made < count; made += 1) {
  const expr = any(1 + below(4));
  if (expr.length > 400 || /\$(shuffle|now|random|eval)\b/.test(expr)) continue;
  const [stated, later] = [await outcome(jsonata, expr), await outcome(newer, expr)];
  if (stated && JSON.stringify(stated) === JSON.stringify(later)) lines.push(JSON.stringify({ id: `${seed}/${made}`, expr, data: document, ...stated }));
}
writeFileSync(file, `${lines.join('\n')}\n`);
