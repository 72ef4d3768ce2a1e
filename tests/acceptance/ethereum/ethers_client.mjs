// An unmodified ethers client against a node: prints one JSON object of what it saw.
//   node ethers_client.mjs RPC_URL PRIVATE_KEY
import { readFileSync } from "node:fs";
import { Contract, ContractFactory, JsonRpcProvider, Wallet, WebSocketProvider, id } from "ethers";

const [url, key] = process.argv.slice(2);
const { abi, bytecode } = JSON.parse(readFileSync(new URL("./Notary.json", import.meta.url)));
const provider = new JsonRpcProvider(url, undefined, { polling: true, pollingInterval: 100, cacheTimeout: -1 });
const live = new WebSocketProvider(url.replace(/^http/, "ws"));
const wallet = new Wallet(key, provider);
const seen = {};

const heads = [];
await live.on("block", (number) => heads.push(number));

const deployed = await new ContractFactory(abi, bytecode, wallet).deploy("ethers");
await deployed.waitForDeployment();
const address = await deployed.getAddress();
seen.title = await deployed.title();

const pushed = new Promise((resolve) => {
  new Contract(address, abi, live).once("Noted", (by, noteKey, text) => resolve({ by, noteKey, text }));
});
await new Promise((resolve) => setTimeout(resolve, 200)); // the subscription is on its way

const noteKey = id("lot-7");
seen.estimate = Number(await deployed.note.estimateGas(noteKey, "picked"));
seen.callResult = Number(await deployed.note.staticCall(noteKey, "picked"));
const receipt = await (await deployed.note(noteKey, "picked")).wait();
seen.status = receipt.status;
seen.gasUsed = Number(receipt.gasUsed);
seen.eventText = receipt.logs.map((log) => deployed.interface.parseLog(log))[0].args.text;
seen.stored = await deployed.notes(noteKey);
seen.logs = (await deployed.queryFilter("Noted", 0, "latest")).length;
seen.pushed = await pushed;

const block = await provider.getBlock(receipt.blockNumber, true);
seen.blockHash = block.hash === receipt.blockHash;
seen.transactionInBlock = block.prefetchedTransactions[receipt.index].hash === receipt.hash;
const proof = await provider.send("eth_getProof", [address, ["0x1"], "latest"]);
seen.provenCount = Number(proof.storageProof[0].value);

try {
  await deployed.note.staticCall(noteKey, "x".repeat(65));
} catch (error) {
  seen.customError = error.revert?.name;
}
try {
  await deployed.note.estimateGas(noteKey, "");
} catch (error) {
  seen.reason = error.reason;
}
try {
  await provider.broadcastTransaction(
    await wallet.signTransaction({
      to: address, nonce: 0, gasLimit: 100000, chainId: (await provider.getNetwork()).chainId,
      maxFeePerGas: 0, maxPriorityFeePerGas: 0,
    }),
  );
} catch (error) {
  seen.replayRefused = true;
}
const batch = await Promise.all([provider.getBlockNumber(), provider.getBalance(address), provider.getCode(address)]);
seen.batch = batch[0] >= receipt.blockNumber && batch[1] === 0n && batch[2].length > 2;
seen.heads = heads.length > 0;
console.log(JSON.stringify(seen));
await live.destroy();
provider.destroy();
