/** What program and policy pack run before they load anything else: Pulumi's SDK starts for more than they need. */
import "./native-stacks.ts";
import "./preload.ts";
