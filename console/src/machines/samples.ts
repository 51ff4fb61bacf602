/** The samples of the repository, part of the page when it is built. */
const definitions = import.meta.glob("../../../samples/*/*.asl.json", {
  query: "?raw",
  import: "default",
  eager: true,
});

export interface Sample {
  name: string;
  description: string;
  definition: string;
}

export const SAMPLES: Sample[] = Object.entries(definitions)
  .map(([path, text]) => {
    const definition = String(text);
    const { Comment } = JSON.parse(definition) as { Comment?: string };
    return { name: path.split("/").at(-2) ?? path, description: Comment ?? "", definition };
  })
  .sort((a, b) => a.name.localeCompare(b.name));

export const BLANK = `{
  "Comment": "A state machine to begin with",
  "QueryLanguage": "JSONata",
  "StartAt": "Hello",
  "States": {
    "Hello": {
      "Type": "Pass",
      "End": true
    }
  }
}
`;
