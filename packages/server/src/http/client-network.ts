export { clientNetwork } from 'commonhold/http';
