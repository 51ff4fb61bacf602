import type { ReactNode } from "react";

/** A small table whose rows each begin with what they are about. */
export function Facts(props: {
  columns: readonly string[];
  rows: readonly { key: string | number; className?: string; cells: readonly [ReactNode, ...ReactNode[]] }[];
}) {
  return (
    <table className="variables">
      <thead>
        <tr>
          {props.columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map(({ key, className, cells: [about, ...cells] }) => (
          <tr key={key} className={className}>
            <th scope="row">{about}</th>
            {cells.map((cell, index) => (
              <td key={props.columns[index + 1]} className="mono">
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
