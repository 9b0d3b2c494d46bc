"""The only home of torch: reads files and a spec, writes files, knows no Django and no app of the portal."""
